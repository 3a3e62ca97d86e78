# SPDX-License-Identifier: GPL-2.0
"""
A program that keeps state and works on a part of it: what it would do for a user who
talks to it. usage: agent.py SEED SIZE; commands come on standard input.
"""

import mmap
import random
import sys
import time
import zlib


def main():
    rand = random.Random(int(sys.argv[1]))
    size = int(sys.argv[2])
    words = ["%x" % rand.getrandbits(40) for _ in range(3000)]
    notes = [{"id": nth, "title": words[nth % 3000], "tags": [words[nth * 7 % 3000]],
              "body": " ".join(rand.choice(words) for _ in range(60)) + str(nth)}
             for nth in range(size)]
    # What it looks at whenever it comes to the front, and what it works on then.
    core = range(size // 10)

    def checked(nths):
        return all(notes[nth]["id"] == nth and notes[nth]["body"].endswith(str(nth))
                   for nth in nths)

    def total():
        crc = 0
        for note in notes:
            crc = zlib.crc32(note["body"].encode(), crc)
        return crc

    print(total(), flush=True)
    for line in sys.stdin:
        if line == "sum\n":
            print(total(), flush=True)
            continue
        if line == "resume\n":
            good = checked(core)
            topic = rand.randrange(size - size // 20)
        elif line == "work\n":
            good = checked(rand.randrange(topic, topic + size // 20) for _ in range(100))
        else:
            good = checked(core[:10])
        # The longest wait for a mapping is what a walk costs who maps something.
        began = time.monotonic()
        mmap.mmap(-1, 65536).close()
        print("ok" if good else "wrong", time.monotonic() - began, flush=True)


main()
