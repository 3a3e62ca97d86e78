// SPDX-License-Identifier: GPL-2.0
#include "recording/html.h"

#include <inttypes.h>
#include <math.h>

#include "lib/output.h"
#include "lib/text.h"

#define WIDTH		960
#define CHART_HEIGHT	240
#define ROW_HEIGHT	5
#define LEFT		120	/* for labels */
#define BELOW		24
#define LABELS		12
#define SHADES		20

static const char style[] =
	":root{--page:#fff;--ink:#1c1c1c;--soft:#666;--line:#ddd;--none:#f1f1f1;--bar:#c55a11;"
	"--resident:#1f6fb2;--swapped:#c55a11}\n"
	"@media(prefers-color-scheme:dark){:root{--page:#16181b;--ink:#e6e6e6;--soft:#9aa0a6;"
	"--line:#33373c;--none:#24272b;--bar:#e08a4a;--resident:#69a9e0;--swapped:#e08a4a}}\n"
	"body{background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif;"
	"max-width:1080px;margin:2em auto;padding:0 1em}\n"
	"h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}\n"
	"section{overflow-x:auto}table{border-collapse:collapse;font-size:13px}\n"
	"th,td{text-align:left;padding:2px 10px 2px 0;border-bottom:1px solid var(--line);"
	"white-space:nowrap}\n"
	"th{font-weight:600;color:var(--soft)}.n{text-align:right;"
	"font-variant-numeric:tabular-nums}\n"
	".bar{background:var(--bar);height:.8em;min-width:1px}\n"
	"svg{max-width:100%;height:auto}svg text{fill:var(--soft);font:11px system-ui,sans-serif}"
	".end{text-anchor:end}.axis{stroke:var(--line)}\n"
	".resident{stroke:var(--resident);fill:none;stroke-width:2}"
	".swapped{stroke:var(--swapped);fill:none;stroke-width:2}\n"
	"text.resident{fill:var(--resident);stroke:none}text.swapped{fill:var(--swapped);"
	"stroke:none}\n"
	".h0{fill:var(--none)}";

/* From nearly none to all of the pages. */
static void put_shades(void)
{
	for (int i = 1; i <= SHADES; i++)
		out_text(".h%d{fill:hsl(%d 85%% %d%%)}", i, 40 - i * 2, 82 - i * 56 / SHADES);
}

void html_begin(const char *title)
{
	out_text("<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
		 "<meta name=viewport content=\"width=device-width\">\n"
		 /* Nothing in it may load or run anything, whatever names a target has. */
		 "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
		 "style-src 'unsafe-inline'\">\n<title>");
	out_html(title);
	out_text("</title>\n<style>\n%s", style);
	put_shades();
	out_text("\n</style>\n</head>\n<body>\n<h1>");
	out_html(title);
	out_text("</h1>\n<section>\n");
}

void html_heading(const char *text)
{
	out_text("</section>\n<h2>");
	out_html(text);
	out_text("</h2>\n<section>\n");
}

void html_end(void)
{
	out_text("</section>\n</body>\n</html>\n");
}

static void svg_begin(unsigned int height)
{
	out_text("<svg viewBox=\"0 0 %d %u\" width=%d height=%u role=img>\n", WIDTH + LEFT,
		 height + BELOW, WIDTH + LEFT, height + BELOW);
}

/* The times at both ends, below. */
static void time_axis(unsigned int height, uint64_t from_ns, uint64_t to_ns)
{
	char from[HUMAN_LEN] = "0 s", to[HUMAN_LEN];

	if (from_ns)
		human_time(from_ns, from);
	out_text("<line class=axis x1=%d x2=%d y1=%u y2=%u />\n", LEFT, LEFT + WIDTH, height,
		 height);
	out_text("<text x=%d y=%u>%s</text><text class=end x=%d y=%u>%s</text>\n", LEFT,
		 height + 16, from, LEFT + WIDTH, height + 16, human_time(to_ns, to));
}

static void put_line(const struct analysis *analysis, const char *class, uint64_t most,
		     bool swapped)
{
	const struct moment *moment = analysis->moments.items;

	out_text("<polyline class=%s points=\"", class);
	for (size_t i = 0; i < analysis->moments.nr; i++) {
		uint64_t bytes = swapped ? moment[i].swapped : moment[i].resident;

		if (bytes > most)
			continue;
		out_text("%.1f,%.1f ",
			 LEFT + WIDTH * (double)moment[i].time_ns /
					 ((double)analysis->duration_ns + 1),
			 CHART_HEIGHT - (CHART_HEIGHT - 20) * (double)bytes / (double)most);
	}
	out_text("\" />\n");
}

void html_savings(const struct analysis *analysis)
{
	const struct moment *moment = analysis->moments.items;
	uint64_t most = 1;
	char text[HUMAN_LEN];

	for (size_t i = 0; i < analysis->moments.nr; i++) {
		/* What is not known is no maximum. */
		if (moment[i].resident > most && moment[i].resident < UINT64_MAX / 2)
			most = moment[i].resident;
		if (moment[i].swapped > most && moment[i].swapped < UINT64_MAX / 2)
			most = moment[i].swapped;
	}
	svg_begin(CHART_HEIGHT);
	out_text("<text class=end x=%d y=24>%s</text><text class=end x=%d y=%d>0</text>\n",
		 LEFT - 8, human_bytes(most, text), LEFT - 8, CHART_HEIGHT);
	put_line(analysis, "resident", most, false);
	put_line(analysis, "swapped", most, true);
	out_text("<text class=resident x=%d y=12>resident</text>"
		 "<text class=swapped x=%d y=12>swapped</text>\n", LEFT, LEFT + 80);
	time_axis(CHART_HEIGHT, 0, analysis->duration_ns);
	out_text("</svg>\n");
}

/* Cells of a row that look the same are one rectangle. */
static void put_row(const struct heatmap *map, size_t row, size_t y)
{
	const double *cells = &map->cells[row * map->nr_columns];
	double width = (double)WIDTH / (double)map->nr_columns;
	size_t from = 0, to;

	for (; from < map->nr_columns; from = to) {
		double value = cells[from];
		int shade = isnan(value) ? -1 : (int)ceil(value * SHADES);

		for (to = from + 1; to < map->nr_columns; to++)
			if ((isnan(cells[to]) ? -1 : (int)ceil(cells[to] * SHADES)) != shade)
				break;
		if (shade < 0)
			continue;
		out_text("<rect class=h%d x=%.1f y=%zu width=%.1f height=%d>"
			 "<title>%" PRIx64 ": %.0f%%</title></rect>\n",
			 shade, LEFT + width * (double)from, y, width * (double)(to - from),
			 ROW_HEIGHT, heatmap_address(map, row), value * 100);
	}
}

/* Addresses go up, as in the other pictures. */
void html_heatmap(const struct heatmap *map)
{
	unsigned int height = (unsigned int)map->nr_rows * ROW_HEIGHT;
	size_t step = (map->nr_rows + LABELS - 1) / LABELS;
	char bytes[HUMAN_LEN];

	out_text("<p>");
	out_html(map->target->comm);
	out_text(" (%d), %s of addresses: the part of the pages accessed since the walk before</p>\n",
		 map->target->tgid, human_bytes(map->bytes, bytes));
	svg_begin(height);
	for (size_t row = 0; row < map->nr_rows; row++) {
		size_t y = height - (row + 1) * ROW_HEIGHT;

		put_row(map, row, y);
		if (heatmap_after_gap(map, row))
			out_text("<line class=axis x1=0 x2=%d y1=%zu y2=%zu />\n",
				 LEFT + WIDTH, y + ROW_HEIGHT, y + ROW_HEIGHT);
		if (row % step == 0)
			out_text("<text class=end x=%d y=%zu>%" PRIx64 "</text>\n", LEFT - 8,
				 y + ROW_HEIGHT, heatmap_address(map, row));
	}
	time_axis(height, map->from_ns, map->from_ns + map->duration_ns);
	out_text("</svg>\n");
}
