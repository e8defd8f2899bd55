"""What a caller is good for, as docs/security.md says; everything else under /v1 must be refused."""

import os

import schemathesis

CALLER = os.environ["HEATSTRIP_CALLER"]
WRITES = {("POST", "/v1/heartbeats"), ("POST", "/v1/views")}


def is_good(method, path, is_described):
    """Returns true or false, or none where it depends on more than is looked at here."""
    if CALLER == "nobody":
        return False
    if not is_described:
        return None
    if CALLER == "server":
        return True
    if CALLER == "player":
        return (method, path) in WRITES
    if CALLER == "reader" and method in ("GET", "HEAD"):
        # Whoever names a member asks for more.
        if path == "/v1/counts":
            return None
        return not path.endswith("/members") and not path.startswith("/v1/members/")
    return False


@schemathesis.check
def refused_what_it_is_not_good_for(ctx, response, case):
    method, path = case.method.upper(), case.operation.path
    # Preflights carry no key and are answered to all.
    if not path.startswith("/v1/") or method == "OPTIONS":
        return
    good = is_good(method, path, method == case.operation.method.upper())
    status = response.status_code
    if good is False and status not in (401, 403, 429):
        raise AssertionError(f"{CALLER} may not {method} {path}, and is answered {status}")
    if good is False and CALLER == "nobody" and status != 401:
        raise AssertionError(f"nobody is asked for a key, but answered {status}")
    if good is True and status in (401, 403):
        raise AssertionError(f"{CALLER} may {method} {path}, and is answered {status}")
