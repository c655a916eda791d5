package observe

import (
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"parley/conversation"
	"parley/internal/timeline"
)

// Metrics turns events into Prometheus metrics.
type Metrics struct {
	stages      *prometheus.HistogramVec
	response    prometheus.Histogram
	total       prometheus.Histogram
	turns       *prometheus.CounterVec
	replies     *prometheus.CounterVec
	interrupted prometheus.Counter
	failures    *prometheus.CounterVec
	dropped     *prometheus.CounterVec
	timers      *prometheus.CounterVec
	calls       *prometheus.CounterVec
	live        atomic.Int64
}

// buckets suit delays people notice in a conversation, from 1 ms to 10 s.
func buckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .15, .2, .25, .3, .4, .5, .75, 1, 1.5, 2.5, 5, 10}
}

// NewMetrics makes the metrics and registers them with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	histogram := func(name, help string) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets()}
	}
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Name: name, Help: help}
	}
	m := &Metrics{
		stages: prometheus.NewHistogramVec(histogram("parley_turn_stage_seconds",
			"Time of each stage of a turn, from the last packet of speech on; the stages add up to the whole."), []string{"stage"}),
		response: prometheus.NewHistogram(histogram("parley_turn_response_seconds",
			"Time from the last packet of speech to the first packet of the reply, endpointing included.")),
		total: prometheus.NewHistogram(histogram("parley_turn_total_seconds",
			"Time from the last packet of speech to the caller's ear, as far as it is known.")),
		turns:       prometheus.NewCounterVec(counter("parley_turns_total", "Turns that ended."), []string{"input", "status", "reason"}),
		replies:     prometheus.NewCounterVec(counter("parley_replies_total", "Replies that ended."), []string{"status"}),
		interrupted: prometheus.NewCounter(counter("parley_interruptions_total", "Replies that the caller spoke over.")),
		failures:    prometheus.NewCounterVec(counter("parley_stage_failures_total", "Failures of the parts that listen, think and speak."), []string{"stage", "kind"}),
		dropped:     prometheus.NewCounterVec(counter("parley_dropped_total", "What bounded queues of calls threw away."), []string{"queue"}),
		timers:      prometheus.NewCounterVec(counter("parley_timers_total", "Timers callers set, and those that rang."), []string{"state"}),
		calls:       prometheus.NewCounterVec(counter("parley_calls_total", "Calls that ended."), []string{"cause"}),
	}
	live := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "parley_conversations", Help: "Calls that are up."},
		func() float64 { return float64(m.live.Load()) })
	reg.MustRegister(m.stages, m.response, m.total, m.turns, m.replies, m.interrupted, m.failures, m.dropped, m.timers, m.calls, live)
	for _, s := range timeline.StageNames() { // so that a graph has all from the start
		m.stages.WithLabelValues(s)
	}
	return m
}

// Consume takes the next event of any call.
func (m *Metrics) Consume(e conversation.Envelope) {
	switch ev := e.Event.(type) {
	case conversation.CallStarted:
		m.live.Add(1)
	case conversation.CallEnded:
		m.live.Add(-1)
		m.calls.WithLabelValues(ev.Cause).Inc()
	case conversation.ReplyEnded:
		m.replies.WithLabelValues(string(ev.Status)).Inc()
		if ev.Status == conversation.Cancelled && ev.Reason == "turn_detected" {
			m.interrupted.Inc()
		}
	case conversation.StageFailed:
		m.failures.WithLabelValues(string(ev.Stage), string(ev.Kind)).Inc()
	case conversation.Dropped:
		m.dropped.WithLabelValues(ev.Queue).Add(float64(ev.Count))
	case conversation.TimerSet:
		m.timers.WithLabelValues("set").Inc()
	case conversation.TimerRang:
		m.timers.WithLabelValues("rang").Inc()
	case conversation.TurnEnded:
		m.turnEnded(e.Call, ev)
	}
}

// turnEnded notes the times, with the call and turn as exemplar: a click in a
// dashboard leads to the turn's own page.
func (m *Metrics) turnEnded(call string, ev conversation.TurnEnded) {
	m.turns.WithLabelValues(ev.Input, string(ev.Status), ev.Reason).Inc()
	example := prometheus.Labels{"call": call, "turn": strconv.Itoa(ev.Turn)}
	for _, s := range ev.Timeline.Stages() {
		observe(m.stages.WithLabelValues(s.Name), s.Duration.Seconds(), example)
	}
	if d, ok := ev.Timeline.ResponseTime(); ok {
		observe(m.response, d.Seconds(), example)
		observe(m.total, ev.Timeline.Total().Seconds(), example)
	}
}

func observe(o prometheus.Observer, seconds float64, example prometheus.Labels) {
	if e, ok := o.(prometheus.ExemplarObserver); ok {
		e.ObserveWithExemplar(seconds, example)
		return
	}
	o.Observe(seconds)
}

// Reading is a number that something else keeps.
type Reading struct {
	Name, Help string
	Counter    bool // it only grows; else it is a gauge
	Value      func() float64
}

// Register adds numbers that other parts keep, such as live peer connections.
func Register(reg prometheus.Registerer, readings ...Reading) {
	for _, r := range readings {
		if r.Counter {
			reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: r.Name, Help: r.Help}, r.Value))
			continue
		}
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: r.Name, Help: r.Help}, r.Value))
	}
}
