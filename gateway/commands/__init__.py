"""Commands over MQTT: judged, remembered, carried out, answered."""
