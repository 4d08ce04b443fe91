"""DLMS/COSEM: meters asked over HDLC or TCP, and meters that push by themselves."""
