// SPDX-License-Identifier: GPL-2.0
#include "lib/screen.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"

static struct {
	SCREEN *screen;
	FILE *said;		/* stands in for stderr */
	int stderr_fd;
	bool colours;
} state;

/* Messages written to the screen would be lost together with it. */
static int hold_messages(void)
{
	state.said = tmpfile();
	if (!state.said)
		return -errno;
	state.stderr_fd = dup(STDERR_FILENO);
	if (state.stderr_fd >= 0 && dup2(fileno(state.said), STDERR_FILENO) >= 0)
		return 0;
	fclose(state.said);
	state.said = NULL;
	return -errno;
}

static void release_messages(void)
{
	char line[1024];

	if (!state.said)
		return;
	fflush(stderr);
	dup2(state.stderr_fd, STDERR_FILENO);
	close(state.stderr_fd);
	rewind(state.said);
	while (fgets(line, sizeof(line), state.said))
		fputs(line, stderr);
	fclose(state.said);
	state.said = NULL;
}

static void begin_colours(void)
{
	const char *no_colour = getenv("NO_COLOR");

	if ((no_colour && *no_colour) || !has_colors() || start_color() == ERR ||
	    use_default_colors() == ERR)
		return;
	init_pair(SCREEN_GOOD, COLOR_GREEN, -1);
	init_pair(SCREEN_BAD, COLOR_RED, -1);
	init_pair(SCREEN_TITLE, COLOR_CYAN, -1);
	state.colours = true;
}

int screen_begin(void)
{
	const char *term = getenv("TERM");
	int err;

	state.screen = newterm(NULL, stdout, stdin);
	if (!state.screen)
		return say_error(-EUSAGE, "the terminal type '%s' is not known here: set TERM, for example to xterm or vt100",
				 term ? term : "");
	err = hold_messages();
	if (err) {
		screen_end();
		return say_error(err, "a temporary file for messages: %s",
				 error_text(err));
	}
	/* The default action of SIGHUP would not restore the terminal. */
	signal(SIGQUIT, SIG_IGN);
	begin_colours();
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	return 0;
}

void screen_end(void)
{
	if (!state.screen)
		return;
	endwin();
	delscreen(state.screen);
	state.screen = NULL;
	release_messages();
	signal(SIGQUIT, SIG_DFL);
}

void screen_line(int y, attr_t attributes, const char *format, ...)
{
	char text[512];
	va_list args;

	if (y < 0 || y >= LINES)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	attrset(attributes);
	mvaddnstr(y, 0, text, COLS);
	if (attributes & A_REVERSE && getcury(stdscr) == y && getcurx(stdscr) > 0)
		hline(' ' | attributes, COLS - getcurx(stdscr));
	attrset(A_NORMAL);
}

attr_t screen_colour(enum screen_colour colour)
{
	return state.colours ? (attr_t)COLOR_PAIR(colour) : A_NORMAL;
}
