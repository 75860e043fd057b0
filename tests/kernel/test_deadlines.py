"""How long work waits: as its process says, and as workers do where no request waits for it."""

import threading

from bitvault.kernel import deadlines


def test_work_in_the_background_says_so_and_a_request_after_it_does_not():
    deadlines.use(deadlines.REQUESTS)
    assert not deadlines.is_background()
    with deadlines.background():
        assert deadlines.is_background()
        assert deadlines.current() is deadlines.PATIENT
    assert deadlines.current() is deadlines.REQUESTS


def test_what_serves_no_requests_waits_as_workers_do():
    deadlines.use(deadlines.PATIENT)
    assert deadlines.is_background()


def test_a_new_thread_waits_as_its_process_says():
    deadlines.use(deadlines.REQUESTS)
    found = []
    with deadlines.background():
        thread = threading.Thread(target=lambda: found.append(deadlines.current()))
        thread.start()
        thread.join()
    assert found == [deadlines.REQUESTS]
