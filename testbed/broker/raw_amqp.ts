/**
 * Publishing what no client library would write: a message's properties are given as the bytes that
 * go on the wire. As much of AMQP 0-9-1 as that takes, by hand.
 */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";

const METHOD_FRAME = 1;
const HEADER_FRAME = 2;
const BODY_FRAME = 3;
const FRAME_END = 0xce;

/** Class and method of what is sent and awaited here. */
const METHODS = {
  connectionStart: [10, 10],
  connectionStartOk: [10, 11],
  connectionTune: [10, 30],
  connectionTuneOk: [10, 31],
  connectionOpen: [10, 40],
  connectionOpenOk: [10, 41],
  channelOpen: [20, 10],
  channelOpenOk: [20, 11],
  confirmSelect: [85, 10],
  confirmSelectOk: [85, 11],
  basicPublish: [60, 40],
  basicAck: [60, 80],
} as const;

/** The properties by the bit of the flags that says that they are there, in their order on the wire. */
const FLAGS = {
  contentType: 15,
  contentEncoding: 14,
  headers: 13,
  deliveryMode: 12,
  priority: 11,
  correlationId: 10,
  replyTo: 9,
  expiration: 8,
  messageId: 7,
  timestamp: 6,
  type: 5,
  userId: 4,
  appId: 3,
  clusterId: 2,
} as const;

/** A property's name. */
export type PropertyName = keyof typeof FLAGS;
/** Each property's value, as the bytes that go on the wire. */
export type RawProperties = Readonly<Partial<Record<PropertyName, Buffer>>>;

/** A connection with one channel in confirm mode. */
export class RawAmqp implements Disposable {
  readonly #socket: Deno.TcpConn;
  #unread: Buffer = Buffer.alloc(0);

  private constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
  }

  /** Connects to the broker, as the user and to the virtual host that `amqpUrl` names. */
  static async connect(amqpUrl: string): Promise<RawAmqp> {
    const { hostname, port, username, password, pathname } = new URL(amqpUrl);
    const raw = new RawAmqp(await Deno.connect({ hostname, port: Number(port) }));
    const [user, secret, vhost] = [username, password, pathname.slice(1)].map(decodeURIComponent);
    await raw.#write(Buffer.from("AMQP\0\0\x09\x01", "latin1"));
    await raw.#read("connectionStart");
    await raw.#call(
      0,
      "connectionStartOk",
      longString(""), // No client properties.
      shortString("PLAIN"),
      longString(`\0${user}\0${secret}`),
      shortString("en_US"),
    );
    const limits = Buffer.from(await raw.#read("connectionTune"));
    limits.writeUInt16BE(0, 6); // No heartbeats.
    await raw.#call(0, "connectionTuneOk", limits);
    await raw.#call(0, "connectionOpen", shortString(vhost!), shortString(""), octet(0));
    await raw.#read("connectionOpenOk");
    await raw.#call(1, "channelOpen", shortString(""));
    await raw.#read("channelOpenOk");
    await raw.#call(1, "confirmSelect", octet(0));
    await raw.#read("confirmSelectOk");
    return raw;
  }

  /** Publishes `content` with these properties, and resolves once the broker has it. */
  async publish(exchange: string, properties: RawProperties, content: Buffer): Promise<void> {
    assert.ok(content.length > 0, "without a body there is no body frame");
    await this.#call(
      1,
      "basicPublish",
      Buffer.alloc(2),
      shortString(exchange),
      shortString(""),
      octet(0),
    );
    const classAndSize = Buffer.alloc(12);
    classAndSize.writeUInt16BE(METHODS.basicPublish[0]);
    classAndSize.writeBigUInt64BE(BigInt(content.length), 4);
    await this.#write(frame(HEADER_FRAME, 1, classAndSize, propertyList(properties)));
    await this.#write(frame(BODY_FRAME, 1, content));
    await this.#read("basicAck");
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async #call(channel: number, method: keyof typeof METHODS, ...args: Buffer[]): Promise<void> {
    const id = Buffer.alloc(4);
    id.writeUInt16BE(METHODS[method][0]);
    id.writeUInt16BE(METHODS[method][1], 2);
    await this.#write(frame(METHOD_FRAME, channel, id, ...args));
  }

  /** Reads one frame, which has to be this method, and returns its arguments. */
  async #read(method: keyof typeof METHODS): Promise<Buffer> {
    const header = await this.#take(7);
    const payload = await this.#take(header.readUInt32BE(3) + 1);
    const id = [payload.readUInt16BE(0), payload.readUInt16BE(2)];
    assert.deepEqual(id, METHODS[method], `not ${method}, but ${payload.toString("latin1")}`);
    return payload.subarray(4, -1);
  }

  async #take(length: number): Promise<Buffer> {
    const chunk = Buffer.alloc(64 * 1024);
    while (this.#unread.length < length) {
      const count = await this.#socket.read(chunk);
      assert.ok(count, "the broker closed the connection");
      this.#unread = Buffer.concat([this.#unread, chunk.subarray(0, count)]);
    }
    const taken = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(length);
    return taken;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#socket.write(bytes.subarray(at));
  }
}

function frame(type: number, channel: number, ...payload: Buffer[]): Buffer {
  const body = Buffer.concat(payload);
  const header = Buffer.alloc(7);
  header.writeUInt8(type);
  header.writeUInt16BE(channel, 1);
  header.writeUInt32BE(body.length, 3);
  return Buffer.concat([header, body, octet(FRAME_END)]);
}

function propertyList(properties: RawProperties): Buffer {
  const flags = Buffer.alloc(2);
  const values: Buffer[] = [];
  for (const [name, bit] of Object.entries(FLAGS)) {
    const value = properties[name as PropertyName];
    if (!value) continue;
    flags.writeUInt16BE(flags.readUInt16BE() | (1 << bit));
    values.push(value);
  }
  return Buffer.concat([flags, ...values]);
}

/** One byte. */
export function octet(value: number): Buffer {
  return Buffer.from([value]);
}

/** A short string: at most 255 bytes, of any kind. */
export function shortString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([octet(bytes.length), bytes]);
}

/** A long string, or any other value that is preceded by its length: a table, an array, bytes. */
export function longString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** 64 bits without a sign: a timestamp. */
export function longLong(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** A header table with one entry: its name, the letter of its type, and its bytes. */
export function headerTable(name: string | Buffer, type: string, value: Buffer): Buffer {
  return longString(Buffer.concat([shortString(name), Buffer.from(type), value]));
}
