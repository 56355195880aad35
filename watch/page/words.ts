/** All words of the page, in each of its languages. */
import type { Concern } from "../view/concerns.ts";
import type {
  Cell,
  ConsumerView,
  Deed,
  EventRow,
  Instance,
  LetterRow,
  Step,
  Verdict,
} from "../view/view.ts";

/** What a language has to say. */
export interface Words {
  readonly code: "en" | "es";
  /** The name of the language to change to, in that language. */
  readonly other: string;
  readonly title: string;
  /** Texts of the page that never change, by the id of their element. */
  readonly still: Readonly<Record<string, string>>;
  readonly readOnly: string;
  readonly connection: Readonly<Record<"live" | "lost" | "paused", string>>;
  readonly broker: Readonly<Record<"up" | "away" | "stopped", string>>;
  readonly concern: (concern: Concern) => string;
  readonly consumer: Readonly<Record<ConsumerView["state"], string>>;
  readonly instance: (instance: Instance) => string;
  readonly elsewhere: (consumers: number) => string;
  readonly verdict: (verdict: Verdict) => string;
  readonly account: Readonly<
    Record<"published" | "effects" | "deadLetters" | "waiting" | "held", string>
  >;
  readonly sampled: (shown: number, published: number, perSecond: number) => string;
  readonly earlier: (count: number) => string;
  /** What waits in a queue, and what its consumers have received. */
  readonly depth: (ready: string, inHand: number) => string;
  readonly dots: (each: number) => string;
  /** The head of the column of events. */
  readonly event: string;
  readonly publishing: Readonly<Record<EventRow["publishing"], string>>;
  readonly cell: (cell: Cell) => string;
  readonly again: (seconds: number) => string;
  readonly reasons: Readonly<Record<string, string>>;
  readonly died: (who: string, reason: string) => string;
  readonly letterState: Readonly<Record<LetterRow["state"], string>>;
  readonly deed: Readonly<Record<Deed["state"], string>>;
  readonly step: (step: Step) => string;
  readonly diagram: Readonly<
    Record<
      "publisher" | "archive" | "effects" | "letters" | "missing" | "differs" | "new" | "label",
      string
    >
  >;
  readonly button: Readonly<
    Record<
      | "publishOne"
      | "publishMany"
      | "failTwice"
      | "failAlways"
      | "stop"
      | "kill"
      | "start"
      | "stopBroker"
      | "startBroker"
      | "replay"
      | "again",
      string
    >
  >;
  readonly story: (label: string) => string;
}

const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

/** English. */
export const en: Words = {
  code: "en",
  other: "Español",
  title: "EcoMarket Events, live",
  still: {
    "words-skip": "Skip to what happens now",
    "words-now": "Now",
    "words-map": "The way of an event",
    "words-accounts": "Does it add up?",
    "words-accounts-note":
      "Since this page was opened. Effects are counted in each subscriber's store, dead letters in the archive, what waits on the broker.",
    "words-subscriber": "Subscriber",
    "words-adds-up": "Adds up?",
    "words-process": "Its process",
    "words-publish": "Publish",
    "words-broker": "The broker",
    "words-events": "Events",
    "words-none": "None yet. Publish one.",
    "words-letters": "Dead letters",
    "words-no-letters": "None. What a subscriber gives up is shown here, with the reason.",
    "words-deeds": "What the buttons did",
    "words-differences": "The broker stands otherwise than wanted",
    "words-body": "Message",
    "words-headers": "Headers",
    "words-close": "Close",
  },
  readOnly: "You can look. To press buttons, open the address that the terminal shows.",
  connection: { live: "live", lost: "no connection to the page's program", paused: "paused" },
  broker: { up: "answers", away: "does not answer", stopped: "is stopped" },
  concern(concern) {
    switch (concern.kind) {
      case "broker":
        return concern.state === "stopped"
          ? "The broker is stopped. Nothing can be published; what it holds is on its disk."
          : "The broker does not answer. What it has confirmed is on its disk.";
      case "doubled":
        return `${concern.who} did ${plural(concern.count, "event", "events")} more than once.`;
      case "nowhere":
        return `${
          plural(concern.count, "event", "events")
        } for ${concern.who} cannot be found anywhere.`;
      case "down":
        return concern.waiting === 0
          ? `${concern.who} is down. Nothing waits for it yet.`
          : `${concern.who} is down. ${
            plural(concern.waiting, "event waits", "events wait")
          } for it${concern.areHeld ? " in its queue; none is lost" : ""}.`;
      case "paused":
        return `${concern.who} is paused: it waits for ${concern.waitsFor} (${concern.reason}). ${
          plural(concern.waiting, "event waits", "events wait")
        } for it.`;
      case "archive-down":
        return `The dead-letter consumer is down. ${
          plural(concern.waiting, "dead letter waits", "dead letters wait")
        } to be archived.`;
      case "differs":
        return `The broker stands otherwise than wanted in ${
          plural(concern.count, "place", "places")
        }: see below.`;
      case "dead":
        return `${
          plural(concern.count, "dead letter waits", "dead letters wait")
        } for your decision: see why below.`;
      case "starting":
        return `${concern.who} is starting.`;
      case "retrying":
        return `${
          plural(concern.count, "event waits", "events wait")
        } for another attempt of ${concern.who}.`;
      case "new-subscriber":
        return `A further subscriber listens: ${concern.who}.`;
      case "well":
        return concern.published === 0
          ? "Everything runs. No event was published yet."
          : `Everything runs. ${plural(concern.published, "event was", "events were")} published.`;
    }
  },
  consumer: {
    consuming: "consuming",
    paused: "paused",
    starting: "starting",
    down: "down",
    unknown: "unknown",
  },
  instance({ pid, state, status }) {
    switch (state) {
      case "starting":
      case "running":
      case "stopping":
        return `process ${pid}, ${state}`;
      case "stopped":
        return `process ${pid} was stopped`;
      case "killed":
        return `process ${pid} was killed`;
      case "ended":
        return `process ${pid} ended by itself (${status})`;
    }
  },
  elsewhere: (consumers) => consumers === 0 ? "nobody runs it" : "started by somebody else",
  verdict(verdict) {
    switch (verdict.kind) {
      case "settled":
        return "✓ adds up: each has its end";
      case "waiting":
        return "✓ adds up: the rest is on the broker";
      case "counting":
        return "… counting again";
      case "unknown":
        return "? the broker does not answer";
      case "doubled":
        return `✗ done more than once: ${verdict.ids.join(", ")}`;
      case "nowhere":
        return `✗ ${verdict.count} nowhere, of: ${verdict.ids.join(", ")}`;
    }
  },
  account: {
    published: "published",
    effects: "effects",
    deadLetters: "dead letters",
    waiting: "waiting",
    held: "on the broker",
  },
  sampled: (shown, published, perSecond) =>
    `${perSecond} per second. ` +
    (shown < published
      ? `${shown} of ${published} events were given a row; the numbers count all of them.`
      : `All of ${published} events were given a row.`),
  earlier: (count) =>
    count === 0
      ? ""
      : `${plural(count, "effect", "effects")} of events that were published before.`,
  depth: (ready, inHand) => `${ready} waiting` + (inHand === 0 ? "" : ` · ${inHand} received`),
  dots: (each) => `A dot on its way stands for up to ${plural(each, "event", "events")}.`,
  event: "Event",
  publishing: {
    sent: "sent, not confirmed yet",
    confirmed: "confirmed by the broker",
    failed: "not confirmed",
    seen: "published by somebody else",
    earlier: "published before this page was opened",
  },
  cell(cell) {
    switch (cell.state) {
      case "none":
        return "not for it";
      case "waiting":
        return "waits";
      case "retrying":
        return `attempt ${cell.attempt} failed`;
      case "committed":
        return cell.replayed ? "done, sent back" : "done";
      case "dead":
        return "dead letter";
      case "replayed":
        return "sent back";
    }
  },
  again: (seconds) => seconds <= 0 ? "again now" : `again in ${seconds} s`,
  reasons: {
    "retries-exhausted": "every attempt failed",
    "invalid-message": "the message is no valid event",
    "newer-event": "a newer program wrote it than the one that reads it",
    "permanent-error": "trying again cannot help",
    "handler-timeout": "it took too long, at every attempt",
    "delivery_limit": "its consumer died each time that it had it",
    expired: "it was too old",
    maxlen: "the queue was full",
    rejected: "it was rejected",
  },
  died: (who, reason) => `Died at ${who}: ${reason}.`,
  letterState: {
    waiting: "waits for you",
    replayed: "sent back, not done yet",
    done: "sent back, and done",
    "died-again": "sent back, and died again",
  },
  deed: { running: "under way", done: "done", failed: "failed" },
  step({ kind, who, attempt, delayMs }) {
    switch (kind) {
      case "sent":
        return "The publisher sent it";
      case "confirmed":
        return "The broker confirmed it: it is safe in each queue";
      case "failed":
        return "The broker did not confirm it";
      case "seen":
        return "It passed its exchange to each queue";
      case "retried":
        return `${who}: attempt ${attempt} failed; again after ${(delayMs ?? 0) / 1000} s`;
      case "gave-up":
        return `${who}: attempt ${attempt} failed; given up`;
      case "committed":
        return `${who}: the effect and the event's id are committed`;
      case "archived":
        return `${who}: archived as a dead letter`;
      case "replayed":
        return `Sent back to ${who}`;
    }
  },
  diagram: {
    publisher: "publisher",
    archive: "archive",
    effects: "effects",
    letters: "dead letters",
    missing: "missing",
    differs: "differs",
    new: "new",
    label:
      "Exchanges, queues, subscribers and stores, and how much waits in each: the tables below tell the same in words",
  },
  button: {
    publishOne: "Publish one",
    publishMany: "Publish 100",
    failTwice: "One that fails twice at email",
    failAlways: "One that fails for ever at loyalty",
    stop: "Stop",
    kill: "Kill",
    start: "Start",
    stopBroker: "Stop the broker",
    startBroker: "Start the broker",
    replay: "Send it back",
    again: "Send it back again",
  },
  story: (label) => `The story of ${label}`,
};

/** Spanish. */
export const es: Words = {
  code: "es",
  other: "English",
  title: "EcoMarket Events, en vivo",
  still: {
    "words-skip": "Ir a lo que pasa ahora",
    "words-now": "Ahora",
    "words-map": "El camino de un evento",
    "words-accounts": "¿Cuadra?",
    "words-accounts-note":
      "Desde que se abrió esta página. Los efectos se cuentan en el almacén de cada suscriptor, los mensajes muertos en el archivo, y lo que espera en el broker.",
    "words-subscriber": "Suscriptor",
    "words-adds-up": "¿Cuadra?",
    "words-process": "Su proceso",
    "words-publish": "Publicar",
    "words-broker": "El broker",
    "words-events": "Eventos",
    "words-none": "Todavía ninguno. Publique uno.",
    "words-letters": "Mensajes muertos",
    "words-no-letters":
      "Ninguno. Lo que un suscriptor da por perdido se muestra aquí, con su razón.",
    "words-deeds": "Lo que hicieron los botones",
    "words-differences": "El broker está distinto de lo que se quiere",
    "words-body": "Mensaje",
    "words-headers": "Encabezados",
    "words-close": "Cerrar",
  },
  readOnly: "Puede mirar. Para usar los botones, abra la dirección que muestra la terminal.",
  connection: {
    live: "en vivo",
    lost: "sin conexión con el programa de la página",
    paused: "en pausa",
  },
  broker: { up: "responde", away: "no responde", stopped: "está detenido" },
  concern(concern) {
    switch (concern.kind) {
      case "broker":
        return concern.state === "stopped"
          ? "El broker está detenido. No se puede publicar; lo que tiene está en su disco."
          : "El broker no responde. Lo que confirmó está en su disco.";
      case "doubled":
        return `${concern.who} hizo ${plural(concern.count, "evento", "eventos")} más de una vez.`;
      case "nowhere":
        return `${plural(concern.count, "evento", "eventos")} para ${concern.who} no se ${
          concern.count === 1 ? "encuentra" : "encuentran"
        } en ninguna parte.`;
      case "down":
        return concern.waiting === 0
          ? `${concern.who} está caído. Todavía no lo espera nada.`
          : `${concern.who} está caído. ${
            plural(concern.waiting, "evento lo espera", "eventos lo esperan")
          }${concern.areHeld ? " en su cola; ninguno se pierde" : ""}.`;
      case "paused":
        return `${concern.who} está en pausa: espera a ${concern.waitsFor} (${concern.reason}). ${
          plural(concern.waiting, "evento lo espera", "eventos lo esperan")
        }.`;
      case "archive-down":
        return `El consumidor de mensajes muertos está caído. ${
          plural(concern.waiting, "mensaje espera", "mensajes esperan")
        } a ser archivado${concern.waiting === 1 ? "" : "s"}.`;
      case "differs":
        return `El broker está distinto de lo que se quiere en ${
          plural(concern.count, "punto", "puntos")
        }: mire abajo.`;
      case "dead":
        return `${
          plural(concern.count, "mensaje muerto espera", "mensajes muertos esperan")
        } su decisión: mire abajo por qué.`;
      case "starting":
        return `${concern.who} está arrancando.`;
      case "retrying":
        return `${
          plural(concern.count, "evento espera", "eventos esperan")
        } otro intento de ${concern.who}.`;
      case "new-subscriber":
        return `Escucha otro suscriptor: ${concern.who}.`;
      case "well":
        return concern.published === 0
          ? "Todo funciona. Todavía no se publicó ningún evento."
          : `Todo funciona. Se ${
            concern.published === 1 ? "publicó 1 evento" : `publicaron ${concern.published} eventos`
          }.`;
    }
  },
  consumer: {
    consuming: "consume",
    paused: "en pausa",
    starting: "arranca",
    down: "caído",
    unknown: "no se sabe",
  },
  instance({ pid, state, status }) {
    switch (state) {
      case "starting":
        return `proceso ${pid}, arranca`;
      case "running":
        return `proceso ${pid}, funciona`;
      case "stopping":
        return `proceso ${pid}, se detiene`;
      case "stopped":
        return `el proceso ${pid} fue detenido`;
      case "killed":
        return `el proceso ${pid} fue matado`;
      case "ended":
        return `el proceso ${pid} terminó solo (${status})`;
    }
  },
  elsewhere: (consumers) => consumers === 0 ? "nadie lo ejecuta" : "lo arrancó otra persona",
  verdict(verdict) {
    switch (verdict.kind) {
      case "settled":
        return "✓ cuadra: cada uno tiene su final";
      case "waiting":
        return "✓ cuadra: el resto está en el broker";
      case "counting":
        return "… se cuenta otra vez";
      case "unknown":
        return "? el broker no responde";
      case "doubled":
        return `✗ hechos más de una vez: ${verdict.ids.join(", ")}`;
      case "nowhere":
        return `✗ ${verdict.count} en ninguna parte, de: ${verdict.ids.join(", ")}`;
    }
  },
  account: {
    published: "publicados",
    effects: "efectos",
    deadLetters: "mensajes muertos",
    waiting: "en espera",
    held: "en el broker",
  },
  sampled: (shown, published, perSecond) =>
    `${perSecond} por segundo. ` +
    (shown < published
      ? `${shown} de ${published} eventos recibieron una fila; los números los cuentan todos.`
      : `Los ${published} eventos recibieron una fila.`),
  earlier: (count) =>
    count === 0 ? "" : `${plural(count, "efecto", "efectos")} de eventos publicados antes.`,
  depth: (ready, inHand) => `${ready} en espera` + (inHand === 0 ? "" : ` · ${inHand} recibidos`),
  dots: (each) => `Un punto en camino representa hasta ${plural(each, "evento", "eventos")}.`,
  event: "Evento",
  publishing: {
    sent: "enviado, sin confirmar todavía",
    confirmed: "confirmado por el broker",
    failed: "no confirmado",
    seen: "publicado por otra persona",
    earlier: "publicado antes de abrir esta página",
  },
  cell(cell) {
    switch (cell.state) {
      case "none":
        return "no es para él";
      case "waiting":
        return "espera";
      case "retrying":
        return `falló el intento ${cell.attempt}`;
      case "committed":
        return cell.replayed ? "hecho, reenviado" : "hecho";
      case "dead":
        return "mensaje muerto";
      case "replayed":
        return "reenviado";
    }
  },
  again: (seconds) => seconds <= 0 ? "otra vez ahora" : `otra vez en ${seconds} s`,
  reasons: {
    "retries-exhausted": "fallaron todos los intentos",
    "invalid-message": "el mensaje no es un evento válido",
    "newer-event": "lo escribió un programa más nuevo que el que lo lee",
    "permanent-error": "volver a intentarlo no ayuda",
    "handler-timeout": "tardó demasiado, en cada intento",
    "delivery_limit": "su consumidor murió cada vez que lo tuvo",
    expired: "era demasiado viejo",
    maxlen: "la cola estaba llena",
    rejected: "fue rechazado",
  },
  died: (who, reason) => `Murió en ${who}: ${reason}.`,
  letterState: {
    waiting: "espera su decisión",
    replayed: "reenviado, sin hacer todavía",
    done: "reenviado, y hecho",
    "died-again": "reenviado, y murió otra vez",
  },
  deed: { running: "en curso", done: "hecho", failed: "falló" },
  step({ kind, who, attempt, delayMs }) {
    switch (kind) {
      case "sent":
        return "El publicador lo envió";
      case "confirmed":
        return "El broker lo confirmó: está seguro en cada cola";
      case "failed":
        return "El broker no lo confirmó";
      case "seen":
        return "Pasó por su exchange a cada cola";
      case "retried":
        return `${who}: falló el intento ${attempt}; otra vez después de ${
          (delayMs ?? 0) / 1000
        } s`;
      case "gave-up":
        return `${who}: falló el intento ${attempt}; se da por perdido`;
      case "committed":
        return `${who}: el efecto y el id del evento están guardados`;
      case "archived":
        return `${who}: archivado como mensaje muerto`;
      case "replayed":
        return `Reenviado a ${who}`;
    }
  },
  diagram: {
    publisher: "publicador",
    archive: "archivo",
    effects: "efectos",
    letters: "mensajes muertos",
    missing: "falta",
    differs: "distinto",
    new: "nuevo",
    label:
      "Exchanges, colas, suscriptores y almacenes, y cuánto espera en cada uno: las tablas de abajo dicen lo mismo en palabras",
  },
  button: {
    publishOne: "Publicar uno",
    publishMany: "Publicar 100",
    failTwice: "Uno que falla dos veces en email",
    failAlways: "Uno que falla siempre en loyalty",
    stop: "Detener",
    kill: "Matar",
    start: "Arrancar",
    stopBroker: "Detener el broker",
    startBroker: "Arrancar el broker",
    replay: "Reenviar",
    again: "Reenviar otra vez",
  },
  story: (label) => `La historia de ${label}`,
};
