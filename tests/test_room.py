"""Memory that processes divide among their large pictures: never more than there is."""

import copy
import random
import threading

import pytest

from digitnet.image.room import UNIT, UNITS, Room


@pytest.mark.usefixtures("impatient")
def test_no_more_is_claimed_than_there_is_and_all_get_their_part() -> None:
    """Threads stand for processes: the pipes are the same for all."""
    room, lock = Room(), threading.Lock()
    claimed, most, done = 0, 0, 0

    def work(seed: int) -> None:
        nonlocal claimed, most, done
        own, rng = copy.copy(room), random.Random(seed)
        for _ in range(50):
            own.claim(rng.choice((1, UNIT, 20 * UNIT, 30 * UNIT, UNITS * UNIT, 99 * UNIT)))
            units = own._claimed
            with lock:
                claimed += units
                most = max(most, claimed)
                done += 1
            with lock:
                claimed -= units
            own.give_back()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    room.claim(UNITS * UNIT)  # all of it is back
    room.close()
    assert (most, done) == (UNITS, 400)


@pytest.mark.usefixtures("impatient")
def test_a_second_claim_takes_the_place_of_the_first() -> None:
    room = Room()
    for units in (UNITS, 5, 1, 7, UNITS):
        room.claim(units * UNIT)
        assert room._claimed == units
        other = copy.copy(room)
        other._claimed = 0
        other.claim((UNITS - units) * UNIT)  # all the rest is free
        other.give_back()
    room.close()
