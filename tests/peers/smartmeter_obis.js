// Reads one list with smartmeter-obis and prints its values: {"1.8.0": [12345.678, "kWh"]}.
//   node smartmeter_obis.js '{"protocol": "D0Protocol", "transport": "TCPTransport", ...}'
"use strict";

const { createRequire } = require("node:module");
const SmartmeterObis = createRequire(`${process.env.NABD_PEERS_NODE}/`)("smartmeter-obis");

const options = { requestInterval: -1, obisNameLanguage: "en", obisFallbackMedium: 1, debug: 0, ...JSON.parse(process.argv[2]) };
const reader = SmartmeterObis.init(options, (error, found) => {
  if (error) {
    console.error(String(error));
    process.exit(1);
  }
  const said = {};
  for (const [id, measurement] of Object.entries(found)) {
    const first = measurement.getValue(0);
    said[id] = [first.value, first.unit ?? null];
  }
  console.log(JSON.stringify(said));
  process.exit(0);
});
reader.process();
