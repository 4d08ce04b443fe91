"""Holds our discovery documents against Home Assistant's own rules; runs in an environment that has `homeassistant`.

Reads {topic: document} as JSON from standard input and prints what Home Assistant does not like, one line each.
"""

import json
import sys

from homeassistant.components.mqtt import binary_sensor, sensor
from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.components.sensor.const import DEVICE_CLASS_STATE_CLASSES, DEVICE_CLASS_UNITS

for topic, document in json.load(sys.stdin).items():
    is_sensor = "/sensor/" in topic
    try:
        taken = (sensor if is_sensor else binary_sensor).DISCOVERY_SCHEMA(document)
    except Exception as error:  # noqa: BLE001  every refusal is an answer
        print(topic, repr(error))  # noqa: T201
        continue
    if is_sensor and taken.get("device_class") is not None:
        kind = SensorDeviceClass(taken["device_class"])
        if taken.get("unit_of_measurement") not in DEVICE_CLASS_UNITS[kind]:
            print(topic, "has a unit that does not fit", kind)  # noqa: T201
        if taken["state_class"] not in DEVICE_CLASS_STATE_CLASSES[kind]:
            print(topic, "has a state class that does not fit", kind)  # noqa: T201
