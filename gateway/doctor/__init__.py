"""`nabd doctor`: what keeps meters from being read and readings from arriving, with the evidence and what to do.

1. Probes gather facts: of this box, of each port and line, of the meters, of the broker. They only look, and leave a
   port alone that anybody has open; of the buses of a running program that program itself is asked.
2. Pure functions judge facts into findings, each with a code of a closed list (texts.py).
3. What could not be looked at is said, so that silence means health.
"""
