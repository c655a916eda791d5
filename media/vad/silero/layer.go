package silero

// group is the number of columns added in one sweep over the output: enough
// independent products to keep the processor busy, few enough for its registers.
const group = 8

// inputList holds the inputs of a layer that are not zero. Its length is a
// whole number of groups, filled up with zeros, after pad.
type inputList struct {
	n      int
	column [taps*bins + group]int32
	value  [taps*bins + group]float32
}

// add appends the values that are not zero; the first belongs to column base.
func (l *inputList) add(values []float32, base int) {
	n := l.n
	for i, v := range values {
		if v != 0 && n < len(l.column) {
			l.column[n], l.value[n] = int32(base+i), v
			n++
		}
	}
	l.n = n
}

// pad fills up the last group.
func (l *inputList) pad() {
	for l.n%group != 0 {
		l.column[l.n], l.value[l.n] = 0, 0
		l.n++
	}
}

// apply writes bias + Σ value·column to out, which has the layer's width.
func (l *layer) apply(in *inputList, out []float32) {
	in.pad()
	copy(out, l.bias)
	for g := 0; g+group <= in.n && g+group <= len(in.column); g += group {
		l.addGroup((*[group]int32)(in.column[g:]), (*[group]float32)(in.value[g:]), out)
	}
}

// addGroup adds eight columns. The slices are cut to one length so that the
// loop needs no bounds checks.
func (l *layer) addGroup(column *[group]int32, x *[group]float32, out []float32) {
	n := len(out)
	c0, c1, c2, c3 := l.col(column[0], n), l.col(column[1], n), l.col(column[2], n), l.col(column[3], n)
	c4, c5, c6, c7 := l.col(column[4], n), l.col(column[5], n), l.col(column[6], n), l.col(column[7], n)
	c0, c1, c2, c3, c4, c5, c6, c7 = c0[:n], c1[:n], c2[:n], c3[:n], c4[:n], c5[:n], c6[:n], c7[:n]
	x0, x1, x2, x3, x4, x5, x6, x7 := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
	for j := range out {
		a := c0[j]*x0 + c1[j]*x1
		b := c2[j]*x2 + c3[j]*x3
		c := c4[j]*x4 + c5[j]*x5
		d := c6[j]*x6 + c7[j]*x7
		out[j] += (a + b) + (c + d)
	}
}

func (l *layer) col(i int32, n int) []float32 { return l.columns[int(i)*n:][:n] }
