package silero

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"parley/media/vad/vadtest"
)

// encodeTensor writes a TensorProto.
func encodeTensor(name string, kind uint64, dims []uint64, raw []byte) []byte {
	var b []byte
	for _, d := range dims {
		b = protowire.AppendVarint(protowire.AppendTag(b, tensorDims, protowire.VarintType), d)
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, tensorType, protowire.VarintType), kind)
	b = appendField(b, tensorName, []byte(name))
	return appendField(b, tensorRaw, raw)
}

func appendField(b []byte, num protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), content)
}

// modelOf wraps one initializer.
func modelOf(tensor []byte) []byte {
	return appendField(nil, modelGraph, appendField(nil, graphInitializer, tensor))
}

func TestReadTensors(t *testing.T) {
	raw := []byte{0, 0, 128, 63, 0, 0, 0, 64} // 1, 2
	got, err := readTensors(modelOf(encodeTensor("w", onnxFloat, []uint64{2, 1}, raw)))
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	if g := got[0]; g.name != "w" || g.shape() != "[2 1]" || g.data[0] != 1 || g.data[1] != 2 {
		t.Errorf("got %+v", g)
	}
	if got, err := readTensors(modelOf(encodeTensor("i", 7, []uint64{1}, make([]byte, 8)))); err != nil || len(got) != 0 {
		t.Errorf("int64 tensor: got %v, %v", got, err)
	}
}

func TestParseRefuses(t *testing.T) {
	good, err := os.ReadFile(vadtest.Model(t, vadtest.Published))
	if err != nil {
		t.Fatal(err)
	}
	nested := []byte{}
	for range maxDepth + 2 {
		attribute := appendField(nil, attrGraph, nested)
		node := appendField(appendField(nil, nodeOpType, []byte("If")), nodeAttribute, attribute)
		nested = appendField(nil, graphNode, node)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":          {nil, "no tensor"},
		"text":           {[]byte("version https://git-lfs.github.com/spec/v1\n"), "not a usable ONNX file"},
		"truncated":      {good[:len(good)/2], "truncated"},
		"huge dimension": {modelOf(encodeTensor("w", onnxFloat, []uint64{math.MaxUint64}, nil)), "shape too large"},
		"huge product":   {modelOf(encodeTensor("w", onnxFloat, []uint64{1 << 20, 1 << 20, 1 << 20}, nil)), "too large"},
		"lying size":     {modelOf(encodeTensor("w", onnxFloat, []uint64{4}, make([]byte, 8))), "8 bytes of data"},
		"other network":  {modelOf(encodeTensor("w", onnxFloat, []uint64{1}, make([]byte, 4))), "not Silero v6.2"},
		"other basis":    {withBasis(t, good), "not a Hann-windowed"},
		"deep":           {appendField(nil, modelGraph, nested), "nested"},
		"too long":       {make([]byte, maxFileSize+1), "more than"},
	} {
		if _, err := Parse(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
	}
}

// withBasis returns the model with one value of its basis changed.
func withBasis(t *testing.T, model []byte) []byte {
	t.Helper()
	tensors, err := readTensors(model)
	if err != nil {
		t.Fatal(err)
	}
	weights, err := pick(tensors)
	if err != nil {
		t.Fatal(err)
	}
	var pattern []byte // the first values as they stand in the file
	for _, v := range weights[basisName][:8] {
		pattern = protowire.AppendFixed32(pattern, math.Float32bits(v))
	}
	out := []byte(strings.Replace(string(model), string(pattern), strings.Repeat("\x00\x00\x80\x3f", 8), 1))
	if string(out) == string(model) {
		t.Fatal("basis not found in the file")
	}
	return out
}

func TestLoadMissing(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.onnx")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// FuzzParse: any input gives a model or an error, in memory in proportion to its size.
func FuzzParse(f *testing.F) {
	f.Add([]byte("\x3a\x02"))
	f.Add(modelOf(encodeTensor("stft.forward_basis_buffer", onnxFloat, []uint64{1, 1}, make([]byte, 4))))
	inner := appendField(nil, graphInitializer, encodeTensor("w", onnxFloat, []uint64{1}, make([]byte, 4)))
	node := appendField(appendField(nil, nodeOpType, []byte("If")), nodeAttribute, appendField(nil, attrGraph, inner))
	f.Add(appendField(nil, modelGraph, appendField(nil, graphNode, node)))
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, err := readTensors(data)
		var values int
		for _, x := range tensors {
			values += len(x.data)
		}
		if values*wireFloatLen > len(data) {
			t.Errorf("%d values from %d bytes", values, len(data))
		}
		if _, perr := Parse(data); perr == nil && err != nil {
			t.Errorf("Parse accepts what the reader refuses: %v", err)
		}
	})
}
