"""Durations in readable form."""


def in_words(seconds: float) -> str:
    """Return a duration in words: `42 s`, `2 min 5 s`, `3 h 20 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def as_clock(seconds: float) -> str:
    """Return a duration as hours, minutes and seconds, `2:05:09`. Days count as hours."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
