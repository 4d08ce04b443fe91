"""Formats of compact frames that are known before a meter's first full frame came.

Facts: Kamstrup's full frames among the captured ones, and wmbusmeters' tables; the last four were found by the two CRCs
of compact frames, from what these hold. A wrong line could do no harm: its CRC would name no frame.
"""

_HEADS = (
    # Water: MULTICAL 21 and flowIQ.
    "02FF20 0413 4413",
    "02FF20 0413 523B",
    "02FF20 0413 4413 615B 5167",
    "02FF20 0413 4413 615B 6167",
    "02FF20 0413 4413 A1015B 8101E7FF0F",
    "02FF20 0413 92013B A1015B 8101E7FF0F",
    "02FF20 0413 4413 426C 523B 615B 6167 5167 8101E7FF0F 06FF1B",
    "04FF23 4413 523B 06FF1B 426C 6167 5167 023B 0413 8101E7FF0F",
    "04FF23 0413 4413 426C 023B 92013B A2013B 06FF1B A1015B 91015B A10167",
    # Heat and cooling: MULTICAL 302, 403, 602, 603.
    "0306 4306 0314 426C 022D 01FF21",
    "030F 430F 0314 426C 022D 01FF21",
    "02F9FF15 0406 04EEFF07 04EEFF08 0414 844014 84804014 02FD17 026C 426C 4406 4414 C44014 C4804014 043B 0259 025D",
    (
        "040E 04FF07 04FF08 0413 844014 84804014 043B 0259 025D 142D 84100E 84200E "
        "04FF22 026C 440E 4413 C44014 C4804014 426C"
    ),
    (
        "040F 04FF07 04FF08 0414 844014 84804014 043B 0259 025D 142D 84100F 84200F "
        "04FF22 026C 440F 4414 C44014 C4804014 426C"
    ),
    "030E 430E 0313 426C 022D 01FF21",
    "0406 04FF07 04FF08 0414 043B 0259 025D 04FF22 026C 4406 4414 426C",
    # Electricity: OMNIPOWER.
    "0404 04843C 042B 04AB3C",
)

KNOWN = tuple(tuple(bytes.fromhex(head) for head in line.split()) for line in _HEADS)
"""Heads of records, one telegram each."""
