/* SPDX-License-Identifier: GPL-2.0 */
/* The terminal as a whole, by way of ncurses. */
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
 * Take the terminal. What is said meanwhile is kept and shown afterwards. 0 or,
 * having said so, an error. screen_end() gives it back as it was; it may be
 * called more than once.
 */
int screen_begin(void);
void screen_end(void);

/* A line of text, cut off where the screen ends and padded if it is reverse. */
void screen_line(int y, attr_t attributes, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Attribute of a colour; none without colours or with NO_COLOR. */
attr_t screen_colour(enum screen_colour colour);

#endif /* PMADV_SCREEN_H */
