package signaling

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What one client may do. The limits count from the first use.
const (
	messageRate, messageBurst = 50, 100 // messages a second, on the socket and the data channel together
	offerRate, offerBurst     = 2, 5    // offers a second
	// maxExcess messages over the limit end a socket; each second of good conduct forgives messageRate of them.
	maxExcess = 500
)

// keepAddresses is how many client addresses are remembered before those that
// have nothing to remember are dropped.
const keepAddresses = 1024

// addressBook counts what each client address does.
type addressBook struct {
	sockets int // most at a time
	joins   int // most in a minute; of wrong keys, too

	mu   sync.Mutex
	book map[netip.Addr]*address
}

type address struct {
	sockets int
	joins   *rate.Limiter
	guesses *rate.Limiter // wrong keys
}

// exempt tells that an address is not limited: the machine itself, where load
// tests run.
func exempt(ip netip.Addr) bool { return ip.IsLoopback() }

// network is the part of an address that one customer holds: all of an IPv4
// address, the first 64 bits of an IPv6 one.
func network(ip netip.Addr) netip.Addr {
	if !ip.Is6() {
		return ip
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return ip
	}
	return p.Addr()
}

// join counts an attempt to begin or resume a call and tells whether it is allowed.
func (b *addressBook) join(ip netip.Addr, now time.Time) bool {
	if exempt(ip) {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of(ip, now).joins.AllowN(now, 1)
}

// mayGuess tells whether a key from ip is to be looked at.
func (b *addressBook) mayGuess(ip netip.Addr, now time.Time) bool {
	if exempt(ip) {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.book[network(ip)]
	return a == nil || a.guesses.TokensAt(now) >= 1
}

// guessed counts a wrong key: as a join, and by itself, so that those who only
// joined often can still do all else.
func (b *addressBook) guessed(ip netip.Addr, now time.Time) {
	if exempt(ip) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.of(ip, now)
	a.guesses.AllowN(now, 1)
	a.joins.AllowN(now, 1)
}

// open counts a socket and tells whether it is allowed; then close must follow.
func (b *addressBook) open(ip netip.Addr, now time.Time) bool {
	if exempt(ip) {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.of(ip, now)
	if a.sockets >= b.sockets {
		return false
	}
	a.sockets++
	return true
}

func (b *addressBook) close(ip netip.Addr) {
	if exempt(ip) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.book[network(ip)]; a != nil {
		a.sockets--
	}
}

// of returns the entry of an address. Callers hold mu.
func (b *addressBook) of(ip netip.Addr, now time.Time) *address {
	ip = network(ip)
	a := b.book[ip]
	if a == nil {
		if len(b.book) >= keepAddresses {
			b.forget(now)
		}
		perSecond := rate.Limit(float64(b.joins) / 60)
		a = &address{joins: rate.NewLimiter(perSecond, b.joins), guesses: rate.NewLimiter(perSecond, b.joins)}
		b.book[ip] = a
	}
	return a
}

// forget drops the addresses that have no socket and their whole allowance. In
// a flood from more addresses than that it drops those without a socket: the
// limit on calls still holds.
func (b *addressBook) forget(now time.Time) {
	for ip, a := range b.book {
		if a.sockets == 0 && min(a.joins.TokensAt(now), a.guesses.TokensAt(now)) >= float64(b.joins) {
			delete(b.book, ip)
		}
	}
	if len(b.book) < keepAddresses {
		return
	}
	for ip, a := range b.book {
		if a.sockets == 0 {
			delete(b.book, ip)
		}
	}
}

// throttle limits the messages of one client. It belongs to one goroutine.
type throttle struct {
	limiter *rate.Limiter // shared between the client's ways in
	excess  int
	told    time.Time
}

// verdict on a message.
type verdict uint8

const (
	accept   verdict = iota
	drop             // say nothing
	complain         // drop, and say so
	cutOff           // the client does not listen
)

// judge decides about a message that came at now.
func (t *throttle) judge(now time.Time) verdict {
	if t.limiter.AllowN(now, 1) {
		return accept
	}
	t.excess++
	if now.Sub(t.told) >= time.Second {
		t.excess = max(1, t.excess-messageRate*int(min(now.Sub(t.told)/time.Second, maxExcess)))
		t.told = now
		return complain
	}
	if t.excess > maxExcess {
		return cutOff
	}
	return drop
}

func tooManyMessages() *problem {
	return &problem{code: "rate_limited", message: "Too many messages; some were dropped. Send at most 50 a second."}
}
