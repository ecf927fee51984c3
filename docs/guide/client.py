#!/usr/bin/env python3
"""Lodge a consignment, bundle it with a truck, and follow it until it may cross.

Usage: CLEARLANE=https://central.example CLEARLANE_TOKEN=... python3 client.py
       ... python3 client.py listen 8090     be told by a webhook instead of asking
Needs nothing but Python 3.9. Try it with a token of a sandbox: nothing of it ever reaches a lane.
"""
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
import zoneinfo

BASE = os.environ.get("CLEARLANE", "http://127.0.0.1:8080")
TOKEN = os.environ["CLEARLANE_TOKEN"]


class Refused(Exception):
    """Central answered with a problem (RFC 9457); `errors` points at each field that is wrong."""

    def __init__(self, problem):
        super().__init__(problem["detail"])
        self.status, self.errors = problem["status"], problem.get("errors", [])


def call(method, path, body=None, **headers):
    """Send one request; give what is answered, and the ETag."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if method == "POST":
        # The same key, sent again after a time-out, gives the same answer and lodges nothing twice.
        headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
    request = urllib.request.Request(
        BASE + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return (json.loads(text) if text else None), answer.headers.get("ETag")
    except urllib.error.HTTPError as error:
        raise Refused(json.load(error)) from None


def consignment(day, packages=24):
    return {
        "direction": "inbound",
        "packages": packages,
        "package_kind": "CT",
        "description": "Printed circuit boards",
        "consignor": {"name": "Shenzhen Components Ltd", "address": "12 Keji Road, Nanshan, Shenzhen"},
        "consignee": {"name": "Kowloon Assembly Ltd", "address": "8 Nathan Road, Kowloon, Hong Kong"},
        "expected_date": day.isoformat(),
        "hs_code": "85340010",
    }


class Forged(Exception):
    """A request that central has not sent, or not just now."""


def verified(secret, headers, body, now=None, tolerance=300):
    """The news in a webhook's request. `body` is what came, byte for byte; `secret` is `whsec_...`."""
    sent_as, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent_at.isdigit() or abs((now or time.time()) - int(sent_at)) > tolerance:
        raise Forged("sent at another time: perhaps an old request, sent again")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{sent_as}.{sent_at}.".encode() + body, hashlib.sha256).digest()
    right = "v1," + base64.b64encode(mac).decode()
    # While a secret is changed there are two signatures. Compare without telling how much is right.
    if not any(hmac.compare_digest(right.encode(), given.encode()) for given in headers.get("webhook-signature", "").split()):
        raise Forged("the signature does not fit")
    return json.loads(body)


def listen(port):
    """Register a webhook on this machine, lodge a consignment, and print what one is told of it."""
    now = datetime.datetime.now(zoneinfo.ZoneInfo("Asia/Hong_Kong"))
    hook, _ = call("POST", "/api/v1/webhooks", {"url": f"http://127.0.0.1:{port}/", "news": ["lodged"]})
    seen = set()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            try:
                news = verified(hook["secret"], self.headers, body)
            except Forged as forged:
                print("refused:", forged)
                return self.answer(401)
            # The same id once more is the same news once more.
            if self.headers["webhook-id"] not in seen:
                seen.add(self.headers["webhook-id"])
                print("told:", news["type"], news["data"]["subject"])
            self.answer(204)

        def answer(self, status):
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", port), Receiver) as receiver:
        lodged, _ = call("POST", "/api/v1/consignments", consignment(now.date()))
        print("lodged:", lodged["ccrn"])
        while not seen:
            receiver.handle_request()
    call("DELETE", "/api/v1/webhooks/" + hook["id"])
    return 0


def main():
    now = datetime.datetime.now(zoneinfo.ZoneInfo("Asia/Hong_Kong"))
    # A mistake is told field by field, all at once.
    try:
        call("POST", "/api/v1/consignments", consignment(now.date(), packages=0))
    except Refused as refused:
        print("refused:", refused.status, refused.errors[0]["pointer"])
    # One consignment; its CCRN goes to whoever carries it.
    lodged, _ = call("POST", "/api/v1/consignments", consignment(now.date()))
    print("lodged:", lodged["ccrn"])
    # Bundle it with a truck.
    bundled, _ = call(
        "POST",
        "/api/v1/bundles",
        {"ccrns": [lodged["ccrn"]], "mark": "KX4827", "mainland_mark": "粤ZN537港", "expected_arrival": now.isoformat()},
    )
    movement = "/api/v1/movements/" + bundled["movement"]
    crossing, _ = call("GET", movement)
    print("status:", crossing["status"], "declared:", crossing["readiness"]["declared"])
    # Amend it; whoever changed it meanwhile is not overwritten.
    path = "/api/v1/consignments/" + lodged["ccrn"]
    seen, etag = call("GET", path)
    call("PUT", path, {**seen["consignment"], "packages": 25}, If_Match=etag)
    try:
        call("PUT", path, seen["consignment"], If_Match=etag)
    except Refused as refused:
        print("stale:", refused.status)
    # Everything that happened, in order; keep `next` and ask again from there.
    feed, _ = call("GET", "/api/v1/events?after=0&limit=1000")
    print("events:", len(feed["events"]), "next:", feed["next"])
    # Take the movement back.
    seen, etag = call("GET", movement)
    call("DELETE", movement, If_Match=etag)
    print("cancelled:", call("GET", movement)[0]["status"])
    return 0


if __name__ == "__main__":
    sys.exit(listen(int(sys.argv[2])) if sys.argv[1:2] == ["listen"] else main())
