package builtin

import (
	"fmt"
	"math"
	"math/big"
)

// raise calculates base to the power of e, exactly.
func raise(base value, e int64, name string) (value, error) {
	if name == "" {
		name = fmt.Sprint("to the power of ", e)
	}
	if e < 0 {
		name = fmt.Sprint("to the power of minus ", -e)
		if base.n.Sign() == 0 {
			return value{}, errZero
		}
	}
	abs := max(e, -e)
	bits := int64(max(base.n.Num().BitLen(), base.n.Denom().BitLen()))
	if abs < 0 || abs > maxBits || bits*abs > maxBits {
		return value{}, errTooLarge
	}
	num := new(big.Int).Exp(base.n.Num(), big.NewInt(abs), nil)
	den := new(big.Int).Exp(base.n.Denom(), big.NewInt(abs), nil)
	if e < 0 {
		num, den = den, num
	}
	return checked(value{n: new(big.Rat).SetFrac(num, den), rough: base.rough, say: base.say + " " + name})
}

// root calculates the square (2) or cube root (3): exactly where it is a
// fraction, else as a rounded one.
func root(v value, degree int, name string) (value, error) {
	say := name + v.say
	negative := v.n.Sign() < 0
	if negative && degree == 2 {
		return value{}, errNegative
	}
	abs := new(big.Rat).Abs(v.n)
	num, ok1 := exactRoot(abs.Num(), degree)
	den, ok2 := exactRoot(abs.Denom(), degree)
	out := new(big.Rat)
	if ok1 && ok2 {
		out.SetFrac(num, den)
	} else {
		f, _ := abs.Float64()
		if math.IsInf(f, 0) {
			return value{}, errTooLarge
		}
		out.SetFloat64(math.Pow(f, 1/float64(degree)))
	}
	if negative {
		out.Neg(out)
	}
	return value{n: out, rough: v.rough || !ok1 || !ok2, say: say}, nil
}

// exactRoot returns the whole root of n and whether there is one.
func exactRoot(n *big.Int, degree int) (*big.Int, bool) {
	var r *big.Int
	if degree == 2 {
		r = new(big.Int).Sqrt(n)
	} else {
		f, _ := new(big.Float).SetInt(n).Float64()
		if f > 1e15 {
			return nil, false
		}
		r = big.NewInt(int64(math.Round(math.Cbrt(f))))
	}
	return r, new(big.Int).Exp(r, big.NewInt(int64(degree)), nil).Cmp(n) == 0
}

func factorial(v value) (value, error) {
	if !v.n.IsInt() || v.n.Sign() < 0 || v.n.Cmp(big.NewRat(100, 1)) > 0 {
		return value{}, errNatural
	}
	f := new(big.Int).MulRange(1, v.n.Num().Int64())
	return value{n: new(big.Rat).SetInt(f), say: v.say + " factorial"}, nil
}
