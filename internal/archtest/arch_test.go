package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "parley/"

// pkg is one package's source without its tests.
type pkg struct {
	path    string // below the module: "media/vad"
	doc     string
	imports []string // sorted; those of the module without its name
	files   map[string]*ast.File
	fset    *token.FileSet
}

// load parses every package in-process, so that the test cache sees the files.
func load(t *testing.T) map[string]*pkg {
	t.Helper()
	root := filepath.Join("..", "..")
	pkgs := map[string]*pkg{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && name != root && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || base == "bin") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		dir := path.Dir(filepath.ToSlash(rel))
		p := pkgs[dir]
		if p == nil {
			p = &pkg{path: dir, files: map[string]*ast.File{}, fset: token.NewFileSet()}
			pkgs[dir] = p
		}
		f, err := parser.ParseFile(p.fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		p.add(filepath.ToSlash(rel), f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(pkgs) < 10 {
		t.Fatalf("found only %d packages below %s", len(pkgs), root)
	}
	return pkgs
}

func (p *pkg) add(name string, f *ast.File) {
	p.files[name] = f
	if f.Doc != nil {
		p.doc += f.Doc.Text()
	}
	for _, i := range f.Imports {
		s := strings.Trim(i.Path.Value, `"`)
		if i.Name != nil && i.Name.Name == "." {
			s = "." + s
		}
		p.imports = append(p.imports, s)
	}
	slices.Sort(p.imports)
	p.imports = slices.Compact(p.imports)
}

// local returns the module's own packages among the imports.
func (p *pkg) local() (own []string) {
	for _, i := range p.imports {
		if strings.HasPrefix(i, module) {
			own = append(own, strings.TrimPrefix(i, module))
		}
	}
	return own
}

// ports are the packages behind which engines hide.
func ports() []string { return []string{"stt", "llm", "tts", "store", "media/vad"} }

// notEngines are sub-folders of ports that are no adapters: suites and pure helpers.
func notEngines() []string { return []string{"tts/speakable", "stt/guard", "store/recorder"} }

// port returns the port whose adapter the package is, or "".
func port(p string) string {
	dir := path.Dir(p)
	if !slices.Contains(ports(), dir) || slices.Contains(notEngines(), p) || strings.HasSuffix(p, "test") {
		return ""
	}
	return dir
}

func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

func TestLeavesImportNoThirdParty(t *testing.T) {
	for _, p := range load(t) {
		if p.path != "audio" && !slices.Contains(ports(), p.path) {
			continue
		}
		for _, i := range p.imports {
			if strings.Contains(strings.Split(i, "/")[0], ".") {
				t.Errorf("%s imports %s: audio and the ports import no third-party code", p.path, i)
			}
		}
		for _, i := range p.local() {
			if port(i) != "" {
				t.Errorf("%s imports %s: a port knows no adapter", p.path, i)
			}
		}
	}
}

func TestOnlyAppImportsAdapters(t *testing.T) {
	for _, p := range load(t) {
		for _, i := range p.local() {
			switch {
			case port(i) == "" || p.path == "app":
			case port(p.path) != "":
				t.Errorf("%s imports %s: adapters do not know each other", p.path, i)
			default:
				t.Errorf("%s imports %s: only app imports adapters", p.path, i)
			}
		}
	}
}

func TestOnlyCommandsImportApp(t *testing.T) {
	for _, p := range load(t) {
		if slices.Contains(p.local(), "app") && !within(p.path, "cmd") && !within(p.path, "e2e") {
			t.Errorf("%s imports app: only cmd and e2e may", p.path)
		}
	}
}

func TestPipelineDoesNotKnowItsObservers(t *testing.T) {
	for _, p := range load(t) {
		for _, stage := range []string{"audio", "signaling", "media", "stt", "llm", "tts", "conversation"} {
			if !within(p.path, stage) {
				continue
			}
			for _, i := range p.local() {
				if within(i, "observe") || i == "store" {
					t.Errorf("%s imports %s: the pipeline emits events, observers read them", p.path, i)
				}
			}
		}
	}
}

func TestLoadtestSeesWhatABrowserSees(t *testing.T) {
	for _, p := range load(t) {
		for _, i := range p.local() {
			if within(p.path, "loadtest") && (within(i, "app") || within(i, "conversation")) {
				t.Errorf("%s imports %s", p.path, i)
			}
		}
	}
}

func TestConversationIsPure(t *testing.T) {
	for _, p := range load(t) {
		for _, i := range p.imports {
			if within(p.path, "conversation") && (strings.Contains(i, "pion/") || i == "net/http" || strings.HasPrefix(i, module+"signaling")) {
				t.Errorf("%s imports %s", p.path, i)
			}
		}
	}
}
