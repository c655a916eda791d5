package endpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-viper/mapstructure/v2"
	"go.yaml.in/yaml/v3"
)

const plain = "sk-Very_Secret-123"

func TestSecretNeverShows(t *testing.T) {
	cfg := Config{BaseURL: "http://h/v1", APIKey: plain}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("x", "key", cfg.APIKey, "cfg", cfg)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", cfg.APIKey, "cfg", cfg)
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{
		log.String(), string(asJSON), string(asYAML), cfg.APIKey.String(),
		fmt.Sprint(cfg), fmt.Sprintf("%v %+v %#v %s %q %x %d", cfg, cfg, cfg, cfg, cfg.APIKey, cfg.APIKey, cfg.APIKey),
	}
	for _, s := range shown {
		if strings.Contains(s, "Secret") || strings.Contains(s, fmt.Sprintf("%x", plain)) {
			t.Errorf("shows the key: %s", s)
		}
		if !strings.Contains(s, redacted) {
			t.Errorf("does not say that a key is there: %s", s)
		}
	}
	if cfg.APIKey.Reveal() != plain {
		t.Errorf("reveal: got %q", cfg.APIKey.Reveal())
	}
	if s := fmt.Sprint(Secret("")); s != "" {
		t.Errorf("no key shows as %q", s)
	}
}

func TestSecretLoads(t *testing.T) {
	tests := map[string]struct {
		in   any
		want string
		bad  bool
	}{
		"string":      {in: plain, want: plain},
		"itself":      {in: Secret(plain), want: plain},
		"space":       {in: " " + plain + "\n", want: plain},
		"empty":       {in: "", want: ""},
		"placeholder": {in: redacted, bad: true},
		"two lines":   {in: "a\nb", bad: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got Config
			d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
				Result: &got, TagName: "koanf", DecodeHook: mapstructure.TextUnmarshallerHookFunc(),
			})
			if err != nil {
				t.Fatal(err)
			}
			err = d.Decode(map[string]any{"base_url": "http://h", "api_key": test.in})
			if (err != nil) != test.bad || got.APIKey.Reveal() != test.want {
				t.Errorf("mapstructure: got %q, %v", got.APIKey.Reveal(), err)
			}
			text, _ := json.Marshal(test.in)
			if s, ok := test.in.(string); ok {
				text, _ = json.Marshal(s)
				var fromYAML struct {
					APIKey Secret `yaml:"api_key"`
				}
				err = yaml.Unmarshal([]byte("api_key: "+string(text)), &fromYAML)
				if (err != nil) != test.bad || fromYAML.APIKey.Reveal() != test.want {
					t.Errorf("yaml: got %q, %v", fromYAML.APIKey.Reveal(), err)
				}
			}
		})
	}
}

func TestValidate(t *testing.T) {
	tests := map[string]struct {
		cfg  Config
		want string // part of the error; "" for none
	}{
		"zero":      {Config{}, ""},
		"local":     {Config{BaseURL: "http://127.0.0.1:11434/v1"}, ""},
		"ipv6":      {Config{BaseURL: "http://[::1]:8000/v1/", APIKey: "k"}, ""},
		"no scheme": {Config{BaseURL: "localhost:8000"}, "neither http nor https"},
		"no host":   {Config{BaseURL: "http:///v1"}, "no host"},
		"user":      {Config{BaseURL: "http://me:" + plain + "@h/v1"}, "belongs in api_key"},
		"query":     {Config{BaseURL: "http://h/v1?key=" + plain}, "belongs in api_key"},
		"broken":    {Config{BaseURL: "http://h/%zz" + plain}, "not a URL"},
		"key":       {Config{APIKey: plain + "\n"}, "printable ASCII"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.cfg.Validate()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), plain) {
				t.Errorf("shows the key: %v", err)
			}
		})
	}
	if h := (Config{BaseURL: "http://[::1]:8000/v1"}).Host(); h != "[::1]:8000" {
		t.Errorf("host: got %q", h)
	}
}
