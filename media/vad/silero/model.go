package silero

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
)

// The network's measures: channels after each convolution, cells of the LSTM.
const (
	context  = 64  // samples kept from the window before
	padding  = 64  // samples mirrored at the right edge
	hop      = 128 // samples between two frames of the spectrum
	frames   = 4   // frames per window
	bins     = fftSize/2 + 1
	conv0Out = 128
	conv1Out = 64
	conv2Out = 64
	conv3Out = 128
	cells    = 128
	gates    = 4 * cells // input, forget, cell, output
	taps     = 3         // kernel length of every convolution
)

// Model holds the weights, laid out for the scorer: every layer is a list of
// columns, one per input value, so that an input of zero (common after ReLU)
// costs nothing.
type Model struct {
	transform *fft
	conv      [4]layer
	lstm      layer // inputs: cells of the encoder, then the hidden state
	output    []float32
	outBias   float32
	scratch   sync.Pool // *scratch
}

// layer is out = bias + Σ x[i]·column(i), a column being width values.
type layer struct {
	width   int
	columns []float32
	bias    []float32
}

// Load reads the weights from an ONNX file of Silero v6.2: the published
// silero_vad.onnx, which holds networks for 16 and 8 kHz, or the one for 16 kHz
// alone (silero_vad_16k_op15.onnx). The error says what is wrong with the file.
func Load(path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("silero: load: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("silero: load: %w", err)
	}
	m, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("silero: load %s: %w", path, err)
	}
	return m, nil
}

// Parse is Load on the content of a file.
func Parse(onnx []byte) (*Model, error) {
	tensors, err := readTensors(onnx)
	if err != nil {
		return nil, fmt.Errorf("not a usable ONNX file: %w", err)
	}
	w, err := pick(tensors)
	if err != nil {
		return nil, fmt.Errorf("not Silero v6.2 at 16 kHz: %w", err)
	}
	m := &Model{
		transform: newFFT(),
		output:    w["decoder.decoder.2.weight"],
		outBias:   w["decoder.decoder.2.bias"][0],
		lstm: layer{
			width:   gates,
			columns: slices.Concat(transpose(w["decoder.rnn.weight_ih"], gates), transpose(w["decoder.rnn.weight_hh"], gates)),
			bias:    sum(w["decoder.rnn.bias_ih"], w["decoder.rnn.bias_hh"]),
		},
	}
	for i := range m.conv {
		bias := w[fmt.Sprintf("encoder.%d.reparam_conv.bias", i)]
		weight := w[fmt.Sprintf("encoder.%d.reparam_conv.weight", i)]
		m.conv[i] = layer{width: len(bias), columns: tapColumns(weight, len(bias)), bias: bias}
	}
	if err := m.transform.verify(w[basisName]); err != nil {
		return nil, fmt.Errorf("not Silero v6.2 at 16 kHz: %w", err)
	}
	m.scratch.New = func() any { return new(scratch) }
	return m, nil
}

const basisName = "stft.forward_basis_buffer"

// layout lists the tensors of the 16 kHz network by the ends of their names.
// The 8 kHz network has the same names and a smaller basis.
func layout() [15]struct{ name, shape string } {
	return [...]struct{ name, shape string }{
		{basisName, "[258 1 256]"},
		{"encoder.0.reparam_conv.weight", "[128 129 3]"},
		{"encoder.0.reparam_conv.bias", "[128]"},
		{"encoder.1.reparam_conv.weight", "[64 128 3]"},
		{"encoder.1.reparam_conv.bias", "[64]"},
		{"encoder.2.reparam_conv.weight", "[64 64 3]"},
		{"encoder.2.reparam_conv.bias", "[64]"},
		{"encoder.3.reparam_conv.weight", "[128 64 3]"},
		{"encoder.3.reparam_conv.bias", "[128]"},
		{"decoder.rnn.weight_ih", "[512 128]"},
		{"decoder.rnn.weight_hh", "[512 128]"},
		{"decoder.rnn.bias_ih", "[512]"},
		{"decoder.rnn.bias_hh", "[512]"},
		{"decoder.decoder.2.weight", "[1 128 1]"},
		{"decoder.decoder.2.bias", "[1]"},
	}
}

// pick finds the 16 kHz network among the tensors by the shape of its basis
// and returns its weights by the ends of their names.
func pick(tensors []tensor) (map[string][]float32, error) {
	table := layout()
	basisShape := table[0].shape
	at := slices.IndexFunc(tensors, func(t tensor) bool { return t.is(basisName) && t.shape() == basisShape })
	if at < 0 {
		return nil, fmt.Errorf("no tensor …%s of shape %s", basisName, basisShape)
	}
	weights := map[string][]float32{}
	for _, want := range table {
		t, err := find(tensors, tensors[at].scope, want.name)
		if err != nil {
			return nil, err
		}
		if t.shape() != want.shape {
			return nil, fmt.Errorf("tensor %s has shape %s, want %s", t.name, t.shape(), want.shape)
		}
		weights[want.name] = t.data
	}
	return weights, nil
}

// transpose turns rows of a matrix with the given number of rows into columns.
func transpose(m []float32, rows int) []float32 {
	inputs := len(m) / rows
	out := make([]float32, len(m))
	for r := range rows {
		for i := range inputs {
			out[i*rows+r] = m[r*inputs+i]
		}
	}
	return out
}

// tapColumns lays a convolution's weights [out][in][tap] out as columns, tap by tap.
func tapColumns(w []float32, outs int) []float32 {
	ins := len(w) / outs / taps
	out := make([]float32, len(w))
	for o := range outs {
		for i := range ins {
			for k := range taps {
				out[(k*ins+i)*outs+o] = w[(o*ins+i)*taps+k]
			}
		}
	}
	return out
}

func sum(a, b []float32) []float32 {
	out := slices.Clone(a)
	for i, v := range b {
		out[i] += v
	}
	return out
}
