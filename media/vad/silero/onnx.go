package silero

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Limits of what the reader accepts, so that a hostile file cannot make it
// work or allocate out of proportion to the file's own size.
const (
	maxFileSize  = 16 << 20
	maxDepth     = 8       // If inside If …
	maxTensors   = 4096    // of any kind
	maxDims      = 8       // rank of a tensor
	maxElements  = 4 << 20 // per tensor
	onnxFloat    = 1       // TensorProto.DataType FLOAT
	wireFloatLen = 4
)

// Field numbers of onnx.proto3 (ModelProto, GraphProto, NodeProto,
// AttributeProto, TensorProto) that the reader follows.
const (
	modelGraph       = 7
	graphNode        = 1
	graphInitializer = 5
	nodeOutput       = 2
	nodeOpType       = 4
	nodeAttribute    = 5
	attrName         = 1
	attrTensor       = 5
	attrGraph        = 6
	tensorDims       = 1
	tensorType       = 2
	tensorFloats     = 4
	tensorName       = 8
	tensorRaw        = 9
)

var errTruncated = errors.New("truncated or not protobuf")

// tensor is a constant of type float32 found in a model file.
type tensor struct {
	name  string
	scope string // the If branches that lead to it, outermost first: "/then_branch"
	dims  []int
	data  []float32
}

// shape returns the dimensions in the form "[2 3]".
func (t tensor) shape() string { return fmt.Sprint(t.dims) }

// readTensors returns every float32 initializer and Constant of the model, in
// file order, the sub-graphs of If nodes included. Everything else in the file
// is skipped.
func readTensors(model []byte) ([]tensor, error) {
	if len(model) > maxFileSize {
		return nil, fmt.Errorf("%d bytes, more than %d", len(model), maxFileSize)
	}
	r := reader{}
	err := eachField(model, func(f field) error {
		if f.num == modelGraph && f.isBytes() {
			return r.graph(f.bytes, "", 0)
		}
		return nil
	})
	return r.tensors, err
}

type reader struct{ tensors []tensor }

func (r *reader) graph(b []byte, scope string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("graphs nested more than %d deep", maxDepth)
	}
	return eachField(b, func(f field) error {
		switch {
		case !f.isBytes():
			return nil
		case f.num == graphNode:
			return r.node(f.bytes, scope, depth)
		case f.num == graphInitializer:
			return r.tensor(f.bytes, "", scope)
		}
		return nil
	})
}

// node follows the two kinds of node that hold constants: Constant itself,
// whose tensor goes by the name of the node's output, and If.
func (r *reader) node(b []byte, scope string, depth int) error {
	var op, output string
	var attributes [][]byte
	err := eachField(b, func(f field) error {
		switch {
		case !f.isBytes():
		case f.num == nodeOutput && output == "":
			output = string(f.bytes)
		case f.num == nodeOpType:
			op = string(f.bytes)
		case f.num == nodeAttribute:
			attributes = append(attributes, f.bytes)
		}
		return nil
	})
	if err != nil || op != "Constant" && op != "If" {
		return err
	}
	for _, a := range attributes {
		if err := r.attribute(a, output, scope, depth); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) attribute(b []byte, output, scope string, depth int) error {
	var name string
	var tensorBytes, graphBytes []byte
	err := eachField(b, func(f field) error {
		switch {
		case !f.isBytes():
		case f.num == attrName:
			name = string(f.bytes)
		case f.num == attrTensor:
			tensorBytes = f.bytes
		case f.num == attrGraph:
			graphBytes = f.bytes
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case tensorBytes != nil:
		return r.tensor(tensorBytes, output, scope)
	case graphBytes != nil:
		return r.graph(graphBytes, scope+"/"+name, depth+1)
	}
	return nil
}

// tensor keeps a TensorProto of float32 values under name or, where that is
// empty, its own name; other types are passed over.
func (r *reader) tensor(b []byte, name, scope string) error {
	t := tensor{scope: scope}
	var kind uint64
	var raw, packed []byte
	err := eachField(b, func(f field) error {
		switch {
		case f.num == tensorDims:
			return t.addDims(f)
		case f.num == tensorType && f.kind == protowire.VarintType:
			kind = f.value
		case f.num == tensorFloats && f.isBytes():
			packed = f.bytes
		case f.num == tensorName && f.isBytes() && name == "":
			name = string(f.bytes)
		case f.num == tensorRaw && f.isBytes():
			raw = f.bytes
		}
		return nil
	})
	if err != nil || kind != onnxFloat {
		return err
	}
	if len(r.tensors) >= maxTensors {
		return fmt.Errorf("more than %d tensors", maxTensors)
	}
	if raw == nil {
		raw = packed // a packed repeated float has the layout of raw_data
	}
	t.name = name
	if t.data, err = floats(raw, t.dims); err != nil {
		return fmt.Errorf("tensor %q: %w", name, err)
	}
	r.tensors = append(r.tensors, t)
	return nil
}

// addDims takes one dimension, or several packed together.
func (t *tensor) addDims(f field) error {
	if f.kind == protowire.VarintType {
		return t.addDim(f.value)
	}
	for b := f.bytes; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return errTruncated
		}
		if err := t.addDim(v); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func (t *tensor) addDim(v uint64) error {
	if v > maxElements || len(t.dims) == maxDims {
		return fmt.Errorf("shape too large: dimension %d after %v", v, t.dims)
	}
	t.dims = append(t.dims, int(v))
	return nil
}

// floats decodes little-endian float32 values and holds their number against dims.
func floats(raw []byte, dims []int) ([]float32, error) {
	n := 1
	for _, d := range dims {
		if n *= d; n > maxElements {
			return nil, fmt.Errorf("shape %v is too large", dims)
		}
	}
	if len(raw) != n*wireFloatLen {
		return nil, fmt.Errorf("%d bytes of data for shape %v", len(raw), dims)
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[i*wireFloatLen:]))
	}
	return data, nil
}

// field is one field of a protobuf message.
type field struct {
	num   protowire.Number
	kind  protowire.Type
	value uint64 // of a varint
	bytes []byte // of a length-delimited field; shares memory with the message
}

func (f field) isBytes() bool { return f.kind == protowire.BytesType }

// eachField calls do for every field of the message b in order.
func eachField(b []byte, do func(field) error) error {
	for len(b) > 0 {
		num, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errTruncated
		}
		b = b[n:]
		f := field{num: num, kind: kind}
		switch kind {
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, kind, b)
		}
		if n < 0 {
			return errTruncated
		}
		b = b[n:]
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}

// is reports whether the tensor goes by the given name, whatever stands before it.
func (t tensor) is(name string) bool { return strings.HasSuffix(t.name, name) }

// find returns the only tensor of the given name in a scope.
func find(tensors []tensor, scope, name string) (tensor, error) {
	var found []tensor
	for _, t := range tensors {
		if t.scope == scope && t.is(name) {
			found = append(found, t)
		}
	}
	if len(found) != 1 {
		return tensor{}, fmt.Errorf("%d tensors …%s, want 1", len(found), name)
	}
	return found[0], nil
}
