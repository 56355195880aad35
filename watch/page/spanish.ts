/** The page in Spanish. */
import { plural, type Words } from "./words.ts";

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
