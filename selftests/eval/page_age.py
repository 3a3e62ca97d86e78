# SPDX-License-Identifier: GPL-2.0
"""What bpf/page_age.bpf.c does with a stream of uses; the same names mean the same.

It takes the place of a guest where one wants to know what a change of the rules does:
seconds instead of minutes. foresee.py prints it beside the other arms that can be
foreseen.
"""

STAY_AWAY = 12		# the default

LEVELS = 16
LAST_LEVEL = LEVELS - 1
FIRST_SEEN = LAST_LEVEL * LEVELS
MEMORY = 64
MOST_RARE = 4096


def shift_of(level):
    return 0 if level < 4 else level // 2 - 1


def walks_to(level):
    return level if level < 4 else (2 + level % 2) << (level // 2 - 1)


def next_state(state, used, walks):
    """Of a page after a walk in which it was used, or not."""
    level, usual = state % LEVELS, state // LEVELS
    if not used:
        turn = walks % (1 << shift_of(level)) == 0
        return state + 1 if level < LAST_LEVEL and turn else state
    if level > usual:
        usual += 1
    elif level < usual and usual > 1:
        usual -= 1
    return usual * LEVELS


class PageAge:
    """The policy, and the pages of one program, all of them there from the start."""

    def __init__(self, count, every, stay_away, max_returns):
        self.stay_away = stay_away
        self.limit = max_returns * every if max_returns else float("inf")
        self.states = [None] * count
        self.out = [False] * count
        self.young = [True] * count
        self.pages = [0] * LEVELS * LEVELS
        self.used = [0] * LEVELS * LEVELS
        self.leaves = [False] * LEVELS * LEVELS
        self.walks = 0
        self.rare = stay_away
        self.held = False
        self.counted = 0.0

    def chance(self, state, doubt):
        return (self.used[state] + doubt) / (self.pages[state] + doubt)

    def learn(self):
        for usual in range(LEVELS):
            away = 0.0
            for level in range(LAST_LEVEL, -1, -1):
                state = usual * LEVELS + level
                chance = self.chance(state, 4)
                if level == LAST_LEVEL:
                    away = 1 / chance
                else:
                    idle = (1 - chance) ** (1 << shift_of(level))
                    away = (1 - idle) / chance + idle * away
                self.leaves[state] = (
                    (away >= self.stay_away or walks_to(level) >= self.stay_away) and
                    self.pages[state] > 0 and
                    self.used[state] * self.rare <= self.pages[state])
                if self.walks % MEMORY == 0:
                    self.pages[state] //= 2
                    self.used[state] //= 2

    def begin(self):
        self.walks += 1
        self.rare += self.rare // 4 + 1 if self.held else -(self.rare // 16)
        self.rare = min(max(self.rare, self.stay_away), MOST_RARE)
        self.held = False
        self.learn()
        expected, self.counted = self.counted, 0.0
        return expected

    def walk(self):
        """The pages that leave."""
        expected = self.begin()
        left = []
        for page, state in enumerate(self.states):
            used, self.young[page] = self.young[page], False
            if state is None:
                self.states[page] = FIRST_SEEN
                continue
            self.pages[state] += 1
            self.used[state] += used
            state = self.states[page] = next_state(state, used, self.walks)
            chance = self.chance(state, 1)
            if self.out[page]:
                self.counted += chance
            elif not used and self.leaves[state]:
                if expected + chance > self.limit:
                    self.held = True
                    continue
                expected += chance
                self.out[page] = True
                left.append(page)
        return left

    def use(self, page):
        """Whether it comes back by that."""
        self.young[page] = True
        was_out, self.out[page] = self.out[page], False
        return was_out


def spans(stream, count, until, every, stay_away, max_returns):
    """(when it left, when it came back, whether it did) of each page that left."""
    policy = PageAge(count, every, stay_away, max_returns)
    since = {}
    due = every
    for now, page in stream:
        while now >= due:
            since.update((left, due) for left in policy.walk())
            due += every
        if policy.use(page):
            yield since.pop(page), now, True
    for left in since.values():
        yield left, until, False
