/* SPDX-License-Identifier: GPL-2.0 */
/* The whole terminal, by way of ncurses. */
#ifndef PMADV_SCREEN_H
#define PMADV_SCREEN_H

#include <curses.h>

enum screen_colour {
	SCREEN_PLAIN,
	SCREEN_GOOD,
	SCREEN_BAD,
	SCREEN_TITLE,
};

/*
 * Take over the terminal. Messages are kept meanwhile and shown afterwards.
 * Returns 0 or an error, which is reported. screen_end() restores the terminal;
 * it may be called more than once.
 */
int screen_begin(void);
void screen_end(void);

/*
 * Print a line of text, cut off at the edge of the screen, and padded if it is
 * reverse.
 */
void screen_line(int y, attr_t attributes, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The attribute of a colour; 0 without colours or with NO_COLOR. */
attr_t screen_colour(enum screen_colour colour);

#endif /* PMADV_SCREEN_H */
