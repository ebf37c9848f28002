//go:build integration

package systemtest

import (
	"fmt"
	"math"
	"strings"
)

// chart draws what people wait for as bars, on a logarithmic scale from a millisecond
// on: the works that stock does too, with the most modules.
func (r speedReport) chart() string {
	const width, label, bar, gap, top = 860, 330, 11, 12, 52
	var rows []speedResult
	for _, p := range r.parts {
		for _, res := range p.results {
			if len(res.stock) > 0 && (res.row.n >= 50 || res.row.work == buildWork) {
				rows = append(rows, res)
			}
		}
	}
	longest := 1.0
	for _, res := range rows {
		longest = max(longest, res.stock.wall())
	}
	decades := math.Ceil(math.Log10(longest * 1000))
	at := func(seconds float64) float64 {
		return label + max(1, (width-label-90)*math.Log10(max(seconds*1000, 1))/decades)
	}
	height := top + len(rows)*(2*bar+gap) + 20
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", width, height)
	b.WriteString("<title>What the hooks cost: wall time of stock and ours, logarithmic</title>\n")
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<rect x="10" y="10" width="12" height="%d" fill="#b0553a"/><text x="28" y="20">stock</text>`+"\n", bar)
	fmt.Fprintf(&b, `<rect x="80" y="10" width="12" height="%d" fill="#2f6f8f"/><text x="98" y="20">ours</text>`+"\n", bar)
	for i := range int(decades) + 1 {
		seconds := math.Pow10(i - 3)
		fmt.Fprintf(&b, `<path d="M%.1f %d V%d" stroke="#ddd"/><text x="%.1f" y="%d" fill="#555" text-anchor="middle">%s</text>`+"\n",
			at(seconds), top-8, height-14, at(seconds), top-14, tick(seconds))
	}
	for i, res := range rows {
		y := top + i*(2*bar+gap)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s: %s, %d × %d</text>`+"\n", label-8, y+bar+4, res.suite, escaped(res.row.work), res.row.n, res.row.k)
		for j, side := range []struct {
			costs costs
			color string
		}{{res.stock, "#b0553a"}, {res.ours, "#2f6f8f"}} {
			x := at(side.costs.wall())
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/><text x="%.1f" y="%d">%s</text>`+"\n",
				label, y+j*bar, x-label, bar-1, side.color, x+4, y+j*bar+bar-2, timeText(side.costs.wall()))
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func tick(seconds float64) string {
	if seconds < 1 {
		return fmt.Sprintf("%.0f ms", seconds*1000)
	}
	return fmt.Sprintf("%.0f s", seconds)
}

func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
