package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"parley/loadtest"
)

// result is all that was measured; times in milliseconds.
type result struct {
	plan                             plan
	machine                          string
	loadBefore, loadAfter            string
	ready                            []float64
	echoWait, parleyWait             []float64
	framework                        []float64
	apart                            []float64 // parley's mark of the end of speech less this program's
	phases                           []phase
	cuts                             int // interruptions tried
	decision, onset                  []float64
	echoLoad, parleyLoad, energyLoad []load
	echoIdle, parleyIdle             int // KiB after all have hung up
}

// phase is the waits with speech that ends at a place within a packet.
type phase struct {
	at           time.Duration
	echo, parley []float64
}

// mostApart is how far, in ms, parley's end of speech may lie from this
// program's for a wait to say something about speed. Half a packet: beyond it
// they speak of different packets.
const mostApart = 10

func newResult(p plan) result {
	return result{plan: p, machine: machine(), loadBefore: loadAverage()}
}

// row is a line of the table.
type row struct{ what, echo, parley, goal, verdict string }

// table is the report for people.
func (r *result) table() string {
	rows := []row{{"", "bare echo", "parley", "goal", ""}}
	rows = append(rows, r.latencyRows()...)
	rows = append(rows, r.cpuRows()...)
	rows = append(rows, r.memoryRows()...)
	ready := loadtest.NewSpread(r.ready)
	rows = append(rows, row{fmt.Sprintf("ready after start, median of %d", ready.N), "", fmt.Sprintf("%.0f ms", ready.Median), "≤ 300 ms", verdict(ready.N > 0 && ready.Median <= 300)})
	return fmt.Sprintf("\n%s\nload average %s before, %s after; models take no time, %d ms of silence end a turn, loopback, from packet to packet\n\n%s%s\n",
		r.machine, r.loadBefore, r.loadAfter, silenceMS, align(rows), r.footnote())
}

func (r *result) footnote() string {
	if len(r.phases) == 0 {
		return ""
	}
	return "* Opus delays sound by 6.5 ms. The echo takes any packet it reaches for speech; parley allows for the delay and\n" +
		"  may count its silence from the packet before. The difference is one of detectors, a packet's length, and not\n" +
		"  of speed. The rows above use speech that ends where both agree.\n"
}

func (r *result) latencyRows() []row {
	echo, parley, own := loadtest.NewSpread(r.echoWait), loadtest.NewSpread(r.parleyWait), loadtest.NewSpread(r.framework)
	cut, onset := loadtest.NewSpread(r.decision), loadtest.NewSpread(r.onset)
	apart := loadtest.NewSpread(r.apart)
	agreed := apart.N > 0 && math.Abs(apart.Median) <= mostApart
	ms := func(v float64) string { return fmt.Sprintf("%.1f ms", v) }
	between := func(s loadtest.Spread) string { return fmt.Sprintf("%.1f–%.1f ms", s.Min, s.Max) }
	rows := []row{
		{fmt.Sprintf("voice to voice, median (n = %d, %d)", echo.N, parley.N), ms(echo.Median), ms(parley.Median), "≤ 206 ms", comparable(agreed, parley.Median <= 206)},
		{"voice to voice, p95", ms(echo.P95), ms(parley.P95), "≤ 215 ms", comparable(agreed, parley.P95 <= 215)},
		{"voice to voice, range", between(echo), between(parley), "", ""},
		{"  parley's end of speech, after this program's", "", between(apart), "± 10 ms", verdict(agreed)},
		{fmt.Sprintf("framework share, median (n = %d)", own.N), "", ms(own.Median), "≤ 3 ms", verdict(own.N > 0 && own.Median <= 3)},
		{"framework share, range", "", between(own), "", ""},
		{fmt.Sprintf("interruption: decision to last packet, median (n = %d of %d)", cut.N, r.cuts), "", ms(cut.Median), "≤ 20 ms", verdict(cut.N > 0 && cut.Median <= 20)},
		{"interruption: decision to last packet, range", "", between(cut), "", ""},
		{"interruption: first word to last packet, median", "", ms(onset.Median), "", ""},
	}
	for _, p := range r.phases {
		name := fmt.Sprintf("wait where speech ends %d ms into a packet *", p.at.Milliseconds())
		rows = append(rows, row{name, between(loadtest.NewSpread(p.echo)), between(loadtest.NewSpread(p.parley)), "", ""})
	}
	return rows
}

// cpuRows compare medians over the slices of a window; the range beside each
// says how much they are worth. The detector's share is a difference of two
// such figures from two runs, the least certain of all.
func (r *result) cpuRows() []row {
	var rows []row
	cpu := func(l load) string {
		s := loadtest.NewSpread(l.cpu)
		return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Min, s.Max)
	}
	median := func(l load) float64 { return loadtest.NewSpread(l.cpu).Median }
	for i, l := range r.parleyLoad {
		echo := at(r.echoLoad, i)
		name := fmt.Sprintf("CPU s per call-minute, %d %s", l.calls, plural(l.calls, "call"))
		rows = append(rows, row{name, cpu(echo), cpu(l), "", ""})
		energy, ok := find(r.energyLoad, l.calls)
		if !ok {
			continue
		}
		ratio := median(energy) / max(median(echo), 1e-9)
		rest := row{"  without it, and the ratio to the echo", "", fmt.Sprintf("%s = %.2f ×", cpu(energy), ratio), "", ""}
		if l.calls == 50 {
			rest.goal, rest.verdict = "≤ 1.5 ×", verdict(ratio <= 1.5)
		}
		rows = append(rows, row{"  of it the network detector", "", fmt.Sprintf("%.2f", median(l)-median(energy)), "", ""}, rest)
	}
	for i, l := range r.parleyLoad {
		if l.calls == 1 {
			continue
		}
		echo, own := loadtest.NewSpread(at(r.echoLoad, i).waits), loadtest.NewSpread(l.waits)
		rows = append(rows, row{
			fmt.Sprintf("voice to voice at %d calls, median / p95", l.calls),
			fmt.Sprintf("%.0f / %.0f ms", echo.Median, echo.P95), fmt.Sprintf("%.0f / %.0f ms", own.Median, own.P95), "", "",
		})
		if missed := l.missed + at(r.echoLoad, i).missed; missed > 0 {
			rows = append(rows, row{"  without an answer", fmt.Sprint(at(r.echoLoad, i).missed), fmt.Sprint(l.missed), "0", verdict(l.missed == 0)})
		}
	}
	return rows
}

func (r *result) memoryRows() []row {
	echo, own := perCallMiB(r.echoLoad), perCallMiB(r.parleyLoad)
	return []row{
		{"memory per further call", fmt.Sprintf("%.2f MiB", echo), fmt.Sprintf("%.2f MiB", own), "≤ 1 MiB", verdict(own <= 1)},
		{fmt.Sprintf("memory with one call / all / %v after hang-up", r.plan.giveBack), memory(r.echoLoad, r.echoIdle), memory(r.parleyLoad, r.parleyIdle), "given back", verdict(givenBack(r.parleyLoad, r.parleyIdle))},
	}
}

func memory(loads []load, idle int) string {
	if len(loads) == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f / %.0f / %.0f MiB", mib(loads[0].rssKiB), mib(loads[len(loads)-1].rssKiB), mib(idle))
}

// perCallMiB is what each call beyond the fewest adds.
func perCallMiB(loads []load) float64 {
	if len(loads) < 2 {
		return 0
	}
	first, last := loads[0], loads[len(loads)-1]
	return mib(last.rssKiB-first.rssKiB) / float64(last.calls-first.calls)
}

// givenBack says whether most of what the further calls took has been returned
// to the system: four fifths of it.
func givenBack(loads []load, idle int) bool {
	if len(loads) < 2 {
		return false
	}
	first, last := loads[0].rssKiB, loads[len(loads)-1].rssKiB
	return 5*(last-idle) >= 4*(last-first)
}

func mib(kib int) float64 { return float64(kib) / 1024 }

// benchLines are the same figures for benchstat.
func (r *result) benchLines() string {
	var b strings.Builder
	spread := func(name, unit string, values []float64) {
		if s := loadtest.NewSpread(values); s.N > 0 {
			fmt.Fprintf(&b, "Benchmark%s %d %.3f p50-%s %.3f p95-%s\n", name, s.N, s.Median, unit, s.P95, unit)
		}
	}
	spread("VoiceToVoice/server=echo", "ms", r.echoWait)
	spread("VoiceToVoice/server=parley", "ms", r.parleyWait)
	spread("FrameworkShare/server=parley", "ms", r.framework)
	spread("Interruption/server=parley", "ms", r.decision)
	spread("Ready/server=parley", "ms", r.ready)
	for _, s := range []struct {
		name  string
		loads []load
	}{{"server=echo", r.echoLoad}, {"server=parley", r.parleyLoad}, {"server=parley/vad=energy", r.energyLoad}} {
		for _, l := range s.loads {
			fmt.Fprintf(&b, "BenchmarkLoad/%s/calls=%d 1 %.4f cpu-s/call-min %d rss-KiB\n", s.name, l.calls, loadtest.NewSpread(l.cpu).Median, l.rssKiB)
		}
	}
	return b.String()
}

// align sets rows in columns.
func align(rows []row) string {
	var width [4]int
	cells := func(r row) [4]string { return [4]string{r.what, r.echo, r.parley, r.goal} }
	for _, r := range rows {
		for i, c := range cells(r) {
			width[i] = max(width[i], len([]rune(c)))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		var line strings.Builder
		for i, c := range cells(r) {
			pad := strings.Repeat(" ", width[i]-len([]rune(c)))
			if i == 0 {
				line.WriteString(c + pad)
			} else {
				line.WriteString("   " + pad + c)
			}
		}
		b.WriteString(strings.TrimRight(line.String()+"   "+r.verdict, " ") + "\n")
	}
	return b.String()
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}

// comparable is the verdict on a wait, where both sides speak of the same one.
func comparable(agreed, met bool) string {
	if !agreed {
		return "NOT COMPARABLE: the ends of speech differ"
	}
	return verdict(met)
}

func at(loads []load, i int) load {
	if i < len(loads) {
		return loads[i]
	}
	return load{}
}

func find(loads []load, calls int) (load, bool) {
	for _, l := range loads {
		if l.calls == calls {
			return l, true
		}
	}
	return load{}, false
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
