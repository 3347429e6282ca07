"""The MQTT broker as a neighbour: its files, a private mosquitto child, an embedded stand-in.

It never speaks MQTT itself; that is the gateway's job.
"""
