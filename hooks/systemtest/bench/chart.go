package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// chart draws what people wait for as bars: whole runs in seconds, with the part of
// them that has nothing to do with modules in grey, then the hooks alone, on a
// logarithmic scale from a millisecond on.
func (p part) chart() string {
	runs, hooks := slices.Concat(p.apt, p.large), []result{}
	for _, res := range p.results {
		switch {
		case len(res.stock) == 0:
		case res.row.work == buildWork:
			runs = append(runs, res)
		case res.row.n >= 50:
			hooks = append(hooks, res)
		}
	}
	c := chart{y: 16}
	c.legend()
	if len(runs) > 0 {
		c.panel("What a person waits for, in seconds", runs, linear(longestOf(runs)))
	}
	if len(hooks) > 0 {
		c.panel("The hooks alone, logarithmic", hooks, logarithmic(longestOf(hooks)))
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n"+
		"<title>What the hooks cost in %s: wall time of stock and ours</title>\n"+
		`<rect width="%d" height="%d" fill="#fff"/>`+"\n", chartWidth, c.y, p.suite, chartWidth, c.y) + c.String() + "</svg>\n"
}

// chart is what has been drawn, down to y.
type chart struct {
	strings.Builder
	y int
}

const (
	chartWidth, chartLabel = 900, 370
	barHeight, barGap      = 11, 12
	floorColor             = "#bbb"
	stockColor, oursColor  = "#b0553a", "#2f6f8f"
)

func (c *chart) legend() {
	for i, key := range []struct{ color, name string }{{stockColor, "stock"}, {oursColor, "ours"}, {floorColor, "the same without any module"}} {
		x := 10 + 70*i
		fmt.Fprintf(c, `<rect x="%d" y="%d" width="12" height="%d" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n", x, c.y-10, barHeight, key.color, x+18, c.y, key.name)
	}
	c.y += 12
}

// scale places seconds between 0 and 1, and names some.
type scale struct {
	at    func(seconds float64) float64
	ticks []float64
}

func linear(longest float64) scale {
	step := math.Pow10(int(math.Floor(math.Log10(longest))))
	end := math.Ceil(longest/step) * step
	s := scale{at: func(seconds float64) float64 { return seconds / end }}
	for tick := 0.0; tick <= end; tick += step {
		s.ticks = append(s.ticks, tick)
	}
	return s
}

func logarithmic(longest float64) scale {
	decades := math.Ceil(math.Log10(longest * 1000))
	s := scale{at: func(seconds float64) float64 { return math.Log10(max(seconds*1000, 1)) / decades }}
	for i := range int(decades) + 1 {
		s.ticks = append(s.ticks, math.Pow10(i-3))
	}
	return s
}

func longestOf(rows []result) float64 {
	longest := 1.0
	for _, res := range rows {
		longest = max(longest, res.stock.wall())
	}
	return longest
}

// panel draws rows under a title.
func (c *chart) panel(title string, rows []result, s scale) {
	at := func(seconds float64) float64 {
		return chartLabel + max(1, (chartWidth-chartLabel-70)*s.at(seconds))
	}
	top := c.y + 34
	bottom := top + len(rows)*(2*barHeight+barGap)
	fmt.Fprintf(c, `<text x="10" y="%d" font-weight="bold">%s</text>`+"\n", c.y+14, escaped(title))
	for _, tick := range s.ticks {
		fmt.Fprintf(c, `<path d="M%.1f %d V%d" stroke="#ddd"/><text x="%.1f" y="%d" fill="#555" text-anchor="middle">%s</text>`+"\n",
			at(tick), top-8, bottom-4, at(tick), top-12, tickText(tick))
	}
	for i, res := range rows {
		c.row(top+i*(2*barHeight+barGap), res, at)
	}
	c.y = bottom + 6
}

func (c *chart) row(y int, res result, at func(float64) float64) {
	name := fmt.Sprintf("%s, %d", res.row.work, res.row.n)
	if res.row.k > 1 {
		name += fmt.Sprintf(" × %d", res.row.k)
	}
	fmt.Fprintf(c, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", chartLabel-8, y+barHeight+4, escaped(name))
	for j, side := range []struct {
		costs costs
		color string
	}{{res.stock, stockColor}, {res.ours, oursColor}} {
		top, end := y+j*barHeight, at(side.costs.wall())
		c.bar(top, end, side.color)
		if len(res.floor) > 0 {
			c.bar(top, min(end, at(res.floor.wall())), floorColor)
		}
		fmt.Fprintf(c, `<text x="%.1f" y="%d">%s</text>`+"\n", end+4, top+barHeight-2, timeText(side.costs.wall()))
	}
}

func (c *chart) bar(y int, end float64, color string) {
	fmt.Fprintf(c, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", chartLabel, y, end-chartLabel, barHeight-1, color)
}

func tickText(seconds float64) string {
	if seconds > 0 && seconds < 1 {
		return fmt.Sprintf("%.0f ms", seconds*1000)
	}
	return fmt.Sprintf("%.0f s", seconds)
}

func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
