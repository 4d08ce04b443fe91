"""Who a gateway is to its broker: key, certificate, claim code; how they are made, proved, renewed and watched.

1. `nabd enrol request` makes a key, a request for a certificate and a claim code (`folder.py`, `request.py`).
2. An authority signs the request: ours (`authority.py`, `nabd ca`) or the utility's own.
3. `nabd enrol import` checks what came back (`certificate.py`) and puts it in place in one step.
4. A running program takes it over within a minute, and goes back to the last good one if it fails (`dialling.py`).

Nothing here that a running edge loads imports `cryptography`: it would cost a small board a tenth of its memory.
"""
