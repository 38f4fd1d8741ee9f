"""An owner's API requests from a process of their own, so that the load generator's own load is not in the figure.

``prober PORT KEY PATH…`` asks one path after the other until its standard input is closed, then prints the times (ms).
"""

import http.client
import json
import select
import sys
import time

PAUSE_SECONDS = 0.1


def main() -> None:
    port, key, *paths = sys.argv[1:]
    times: list[float] = []
    number = 0
    while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
        connection.request("GET", f"/api/v1/{paths[number % len(paths)]}", headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 200:
            raise SystemExit(f"{paths[number % len(paths)]}: {answer.status}")
        times.append((time.perf_counter() - began) * 1000)
        number += 1
    json.dump(times, sys.stdout)


if __name__ == "__main__":
    main()
