"""The workshop's publisher: a connection for each event, no confirm. Prints how many it published."""

import json
import sys
import time
import uuid

import pika

url, exchange, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
parameters = pika.URLParameters(url)
published = 0
start = time.monotonic()
while time.monotonic() - start < seconds:
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.exchange_declare(exchange=exchange, exchange_type="fanout", durable=True)
    event = {
        "event_type": "UsuarioCreado",
        "event_id": str(uuid.uuid4()),
        "schema_version": 1,
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "user_id": f"u-{published}",
        "nombre": "María José Ñáñez",
        "email": f"mariajose{published}@example.com",
    }
    channel.basic_publish(
        exchange=exchange,
        routing_key="",
        body=json.dumps(event),
        properties=pika.BasicProperties(delivery_mode=2),
    )
    connection.close()
    published += 1
print(json.dumps({"published": published, "seconds": time.monotonic() - start}))
