"""SML: the telegrams that German electricity meters (EDL21, eHZ) push through their optical port."""
