package store

import (
	"context"
	"time"
)

// None is the store of those who want nothing kept.
type None struct{}

var _ Store = None{}

// SaveCall implements Store; it forgets.
func (None) SaveCall(context.Context, Call) error { return nil }

// SaveTurn implements Store; it forgets.
func (None) SaveTurn(context.Context, Turn) error { return nil }

// Call implements Store.
func (None) Call(context.Context, string) (Call, error) { return Call{}, ErrNotFound }

// Calls implements Store.
func (None) Calls(context.Context, time.Time, int) ([]Call, error) { return []Call{}, nil }

// Turns implements Store.
func (None) Turns(context.Context, string) ([]Turn, error) { return nil, ErrNotFound }

// DeleteCall implements Store.
func (None) DeleteCall(context.Context, string) error { return ErrNotFound }

// Close implements Store.
func (None) Close() error { return nil }
