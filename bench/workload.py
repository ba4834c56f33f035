"""The work that every sync engine is measured on: what learners on one village laptop do.

    python workload.py --village 1 --events 5000 --seed 7 > village-1.jsonl

One JSON object a line, oldest first, deterministic for (village, events, seed):
  id        32 hex digits, unique
  device    32 hex digits, the laptop
  seq       1, 2, 3 … on that device
  at        ISO 8601 UTC with milliseconds
  learner   32 hex digits (12 to 24 learners a laptop)
  course    32 hex digits (8 courses)
  lesson    32 hex digits (10 a course)
  kind      lesson_opened | lesson_progress | answer_given | quiz_submitted | course_completed
  item      question number, only for answer_given
  choice    0..3, only for answer_given
  correct   true/false, only for answer_given
  progress  0..1 in steps of 0.01, only for lesson_progress
  score     0..100, only for quiz_submitted
  seconds   time spent, 1..900
"""

import argparse
import datetime as dt
import json
import random
import sys


def hex_id(rng):
    return f"{rng.getrandbits(128):032x}"


def events(village, count, seed):
    catalogue = random.Random(1945)
    courses = [(hex_id(catalogue), [hex_id(catalogue) for _ in range(10)]) for _ in range(8)]
    rng = random.Random(seed * 1_000_003 + village)
    device = hex_id(rng)
    learners = [hex_id(rng) for _ in range(rng.randint(12, 24))]
    clock = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
    place = {learner: (rng.randrange(8), 0) for learner in learners}
    seq = 0

    def event(kind, learner, **more):
        nonlocal seq, clock
        seq += 1
        seconds = min(900, 1 + int(rng.expovariate(1 / 45)))
        clock += dt.timedelta(seconds=seconds, milliseconds=rng.randrange(1000))
        course, lesson = place[learner]
        return {
            "id": hex_id(rng),
            "device": device,
            "seq": seq,
            "at": clock.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "learner": learner,
            "course": courses[course][0],
            "lesson": courses[course][1][lesson],
            "kind": kind,
            "seconds": seconds,
            **more,
        }

    while True:
        learner = rng.choice(learners)
        yield event("lesson_opened", learner)
        reached = 0
        for _ in range(rng.randint(2, 6)):
            reached = min(100, reached + rng.randint(10, 40))
            yield event("lesson_progress", learner, progress=reached / 100)
        right = 0
        for item in range(1, 11):
            correct = rng.random() < 0.72
            right += correct
            yield event("answer_given", learner, item=item, choice=rng.randrange(4), correct=correct)
        yield event("quiz_submitted", learner, score=right * 10)
        course, lesson = place[learner]
        if right >= 6:
            if lesson == 9:
                yield event("course_completed", learner)
                place[learner] = ((course + 1) % 8, 0)
            else:
                place[learner] = (course, lesson + 1)
        if rng.random() < 0.3:
            clock += dt.timedelta(hours=rng.randint(4, 40))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--village", type=int, default=1)
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    stream = events(options.village, options.events, options.seed)
    for _ in range(options.events):
        sys.stdout.write(json.dumps(next(stream), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
