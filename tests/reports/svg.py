"""Two plots by hand: a month as rows of days against the peaks, and how a fleet begins to charge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from chargeamps.schedules.planner import LONDON, in_peak
from tests.simulator.month import Flow

ROW, LEFT, HOUR, TOP = 16, 96, 30, 46
STYLE = (
    "<style>text{font:11px system-ui,sans-serif;fill:#222}.title{font-size:14px;font-weight:600}"
    ".peak{fill:#f3b7ae}.on{fill:#1565c0}.grid{stroke:#ddd}.even{fill:#fafafa}"
    ".line{fill:none;stroke-width:2}.a{stroke:#1565c0}.b{stroke:#ef6c00}.ideal{stroke:#999;stroke-dasharray:4 3}"
    "</style>"
)


def month(flows: Iterable[Flow], first: date, days: int, title: str, top_w: float) -> str:
    """Each London day a row of 24 hours of its wall clock: peaks red, power blue, as high as its share of `top_w`."""
    width, height = LEFT + 24 * HOUR + 20, TOP + days * ROW + 30
    out = [_open(width, height, title)]
    for row in range(days):
        day, y = first + timedelta(days=row), TOP + row * ROW
        if row % 2:
            out.append(f'<rect class="even" x="{LEFT}" y="{y}" width="{24 * HOUR}" height="{ROW}"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{day:%a %d %b}</text>')
        peaks = [hour for hour in range(24) if in_peak(datetime.combine(day, time(hour), LONDON))]
        out += [f'<rect class="peak" x="{LEFT + n * HOUR}" y="{y}" width="{HOUR}" height="{ROW}"/>' for n in peaks]
    for hour in range(0, 25, 2):
        x = LEFT + hour * HOUR
        out.append(f'<line class="grid" x1="{x}" y1="{TOP}" x2="{x}" y2="{TOP + days * ROW}"/>')
        out.append(f'<text x="{x}" y="{TOP - 6}" text-anchor="middle">{hour:02}</text>')
    for flow in flows:
        for day, begin, end in _by_day(flow):
            row = (day - first).days
            if not 0 <= row < days:
                continue
            high = max(1.0, (ROW - 3) * flow.watts / top_w)
            left, top = LEFT + begin / 3600 * HOUR, TOP + row * ROW + ROW - 1 - high
            wide = max(0.4, (end - begin) / 3600 * HOUR)
            out.append(f'<rect class="on" x="{left:.2f}" y="{top:.1f}" width="{wide:.2f}" height="{high:.1f}"/>')
    note = f"Hours of London's clock. Red: peak hours (SI 2021/1467). Blue: power, full height {top_w / 1000:.1f} kW."
    out.append(f'<text x="{LEFT}" y="{height - 10}">{note}</text></svg>')
    return "\n".join(out)


def _by_day(flow: Flow) -> Iterable[tuple[date, float, float]]:
    """The flow cut at London's midnights: day, and seconds of the wall clock."""
    at = flow.start
    while at < flow.end:
        local = at.astimezone(LONDON)
        midnight = datetime.combine(local.date() + timedelta(days=1), time(0), LONDON)
        # Aware datetimes of one zone subtract by the wall clock; the plan counts true seconds.
        until = min(flow.end, at + timedelta(seconds=midnight.timestamp() - at.timestamp()))
        begin = (local.hour * 60 + local.minute) * 60 + local.second
        end = until.astimezone(LONDON)
        stop = 86_400 if end.date() != local.date() else (end.hour * 60 + end.minute) * 60 + end.second
        yield local.date(), begin, max(begin, stop)
        at = until


def ramp(curves: Sequence[tuple[str, str, Sequence[float]]], window_s: int, each_kw: float, title: str) -> str:
    """How the power of a fleet rises: for each curve its name, style, and the second of each charger's first current.

    The dashed line is what perfectly even delays over `window_s` would give.
    """
    wide, high, end = 720, 320, window_s * 1.15
    most = max(len(seconds) for _, _, seconds in curves)
    full = most * each_kw

    def at(second: float, chargers: float) -> str:
        return f"{LEFT + second / end * wide:.1f},{TOP + high - chargers * each_kw / full * high:.1f}"

    out = [_open(LEFT + wide + 20, TOP + high + 60, title)]
    for step in range(5):
        y = TOP + high - step / 4 * high
        out.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + wide}" y2="{y:.1f}"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{full * step / 4 / 1000:.2f} MW</text>')
    for minute in range(int(end // 60) + 1):
        x = LEFT + minute * 60 / end * wide
        out.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{TOP + high}"/>')
        out.append(f'<text x="{x:.1f}" y="{TOP + high + 14}" text-anchor="middle">{minute} min</text>')
    even = f"{at(0, 0)} {at(window_s, most)} {at(end, most)}"
    out.append(f'<polyline class="line ideal" points="{even}"/>')
    for number, (name, style, seconds) in enumerate(curves):
        points = [at(0, 0)]
        for count, second in enumerate(sorted(seconds)):
            points += [at(min(second, end), count), at(min(second, end), count + 1)]
        points.append(at(end, len(seconds)))
        out.append(f'<polyline class="line {style}" points="{" ".join(points)}"/>')
        x, y = LEFT + 12, TOP + 16 + 16 * number
        out.append(f'<line class="line {style}" x1="{x}" y1="{y}" x2="{x + 24}" y2="{y}"/>')
        out.append(f'<text x="{x + 32}" y="{y + 4}">{name}</text>')
    out.append(f'<text x="{LEFT}" y="{TOP + high + 40}">Dashed: perfectly even delays over {window_s} s.</text></svg>')
    return "\n".join(out)


def _open(width: float, height: float, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' role="img"><title>{title}</title>{STYLE}<rect width="100%" height="100%" fill="#fff"/>'
        f'<text class="title" x="{LEFT}" y="20">{title}</text>'
    )
