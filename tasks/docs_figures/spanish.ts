/** The figures in Spanish, for `docs/Taller4_Justificacion.md`. */
import { roi, WORKSHOP } from "../roi/model.ts";
import type { CompareReport } from "./compare_report.ts";
import { DocumentError } from "./document_error.ts";
import { bySubscribers, findings } from "./findings.ts";
import type { ClaimVerdict, Language } from "./language.ts";
import { spanishDays, spanishRoi } from "./spanish_roi.ts";

const CELLS: Readonly<Record<string, string>> = {
  "": "",
  "coupled": "acoplado",
  "queue each": "una cola por suscriptor",
  "direct": "direct",
  "events": "eventos",
  "loyalty is down": "loyalty caído",
  "loyalty takes 2 s": "loyalty tarda 2 s",
  "loyalty fails 5 %": "loyalty falla el 5 %",
  "broker is down": "broker caído",
  "201 %": "201 (%)",
  "p50 ms": "p50 (ms)",
  "p95 ms": "p95 (ms)",
  "p99 ms": "p99 (ms)",
  "lost": "perdidos",
  "orphans": "huérfanos",
  "max /s": "máximo por segundo",
  "at once": "a la vez",
  "backlog": "pendientes",
  "saturated": "saturado",
  "lines changed": "líneas cambiadas",
  "new release": "nueva versión",
  "next signup reached it": "recibió el siguiente registro",
  "yes": "sí",
  "no": "no",
};

function cell(text: string): string {
  const counted = text.match(/^(p\d+) ms with (\d+)$/);
  if (counted) return `${counted[1]} con ${counted[2]} (ms)`;
  const translated = CELLS[text];
  if (translated === undefined) {
    throw new DocumentError(
      `docs/compare.md has "${text}", which has no Spanish yet: add it to ` +
        "tasks/docs_figures/spanish.ts",
    );
  }
  return translated;
}

function origin(report: CompareReport): string {
  const { command, date, machine, loadBefore, versions } = report;
  const made = `Medido con \`${command}\` el ${date}, en ${machine.replace(/cores$/, "núcleos")} ` +
    `(carga media antes de empezar: ${loadBefore}), con RabbitMQ ${versions.rabbitmq} y ` +
    `Deno ${versions.deno}.`;
  return findings(report).isQuick
    ? `${made} **Es una medición de \`--quick\`: demasiado corta para citarla.**`
    : made;
}

const notes: Language["notes"] = ({ ratePerSecond, growthRatePerSecond, subscriberMs }) => ({
  latency: `${ratePerSecond} registros por segundo, lleguen o no las respuestas anteriores ` +
    `(carga abierta: la espera también cuenta); 3 suscriptores de ${subscriberMs} ms.`,
  outages:
    "Perdidos: se respondió 201, y un suscriptor nunca se enteró. Huérfanos: se rechazó el " +
    "registro, y aun así un suscriptor hizo su parte.",
  growth: `A ${growthRatePerSecond} registros por segundo. Los publicadores que llevan una lista ` +
    "de suscriptores se cambiaron y se arrancaron de nuevo cada vez.",
  throughput:
    "Pendientes: registros aceptados de los que algún suscriptor aún no se había enterado " +
    "al terminar la carga. La carga sale de la misma máquina.",
  effort: "Líneas del publicador. Cada cambio se hizo, se arrancó y se probó de verdad.",
});

function summary(report: CompareReport): string[] {
  const { p50, timesFaster, unwell, outages, growth, linesChanged } = report;
  const { lost, coupledOrphans } = findings(report);
  return [
    `**Latencia**: la mitad de los registros se responde en ${p50.coupled} ms con tres llamadas ` +
    `HTTP, y en ${p50.events} ms con eventos: ${timesFaster} veces más rápido.`,
    `**Averías**: con \`loyalty\` caído, la API acoplada acepta el ${outages.down.coupled.success} ` +
    `% de los registros, y la de eventos el ${outages.down.events.success} %. En las cuatro averías ` +
    `juntas, la de eventos rechazó ${unwell.refused} de ${unwell.signups} y perdió ${lost}; su peor ` +
    `p95 fue de ${unwell.worstP95} ms. La acoplada rechazó ${coupledOrphans} registros de los que algún suscriptor ya había hecho su parte.`,
    `**De dónde sale la mejora**: una cola por suscriptor responde en ${p50.queueEach} ms y direct en ` +
    `${p50.direct} ms (p50), así que la latencia la gana quien deja de esperar, no el fanout. Con el ` +
    `broker caído, aceptan el ${outages.brokerDown.queueEach.success} % y el ` +
    `${outages.brokerDown.direct.success} % de los registros; la de eventos, gracias al outbox, el ` +
    `${outages.brokerDown.events.success} %.`,
    `**Crecimiento** (p50 por número de suscriptores): acoplada, ` +
    `${bySubscribers(growth.counts, growth.p50.coupled)}; eventos, ` +
    `${bySubscribers(growth.counts, growth.p50.events)}.`,
    `**Añadir un suscriptor** (líneas del publicador): acoplada, ${linesChanged.coupled}; eventos, ` +
    `${linesChanged.events}.`,
  ];
}

function claims(report: CompareReport): ClaimVerdict[] {
  const { p50, timesFaster, outages, unwell, growth, maxPerSecond, linesChanged } = report;
  const found = findings(report);
  const { down, failing, brokerDown } = outages;
  return [
    {
      claim: "600 ms → 50 ms por evento (92 %; en otro lugar, 95 %)",
      measured: `p50 de ${p50.coupled} ms a ${p50.events} ms: ${timesFaster} veces, ` +
        `${found.latencyCutPercent} % menos`,
      verdict:
        (found.isWithinClaimedMs
          ? "**Confirmada para la respuesta.** "
          : "**No confirmada en esta medición.** ") +
        `Los 600 ms son la premisa (tres esperas de ${report.subscriberMs} ms que el experimento ` +
        "fija); lo medido es lo que queda sin ellas. El trabajo de los suscriptores no se acorta: " +
        "se hace después.",
    },
    {
      claim: "Disponibilidad del 95 % al 99.9 %",
      measured: `Registros aceptados, acoplado y eventos: con \`loyalty\` fallando el 5 %, ` +
        `${failing.coupled.success} % y ${failing.events.success} %; con \`loyalty\` caído, ` +
        `${down.coupled.success} % y ${down.events.success} %; con el broker caído, ` +
        `${brokerDown.coupled.success} % y ${brokerDown.events.success} %`,
      verdict: "**No se puede demostrar así.** La disponibilidad es una proporción de meses; en " +
        "minutos, y con averías provocadas, solo se mide qué parte se acepta durante cada una. " +
        (found.refusedNone
          ? "Ninguna de las averías probadas hizo rechazar un registro a la API de eventos. "
          : `Las averías probadas hicieron rechazar ${unwell.refused} registros también a la API de eventos. `) +
        "Esa API y su disco siguen siendo un punto único de fallo, y no se rompieron aquí.",
    },
    {
      claim: "Eventos perdidos: del 5 % al 0.1 %, o a 0",
      measured: `Eventos: ${found.lost} perdidos de ${unwell.signups} registros durante averías. ` +
        `Acoplado: ${found.coupledOrphans} rechazados con un efecto huérfano`,
      verdict: found.lost === 0
        ? "**Compatible, no demostrada por esta medición.** Ninguno perdido entre tan pocos solo " +
          `descarta, al 95 % de confianza, una tasa mayor que el ${found.ruledOutPercent} %. El ` +
          "argumento es el diseño (outbox, confirmaciones, inbox) y sus pruebas." +
          (found.coupledLost === 0
            ? " Tampoco el acoplado perdió en silencio: rechaza, y deja efectos a medias."
            : "")
        : "**Refutada**: se perdieron eventos. Es un defecto que hay que explicar antes de citar " +
          "nada más.",
    },
    {
      claim: "Un suscriptor se añade enlazando una cola",
      measured: `Líneas del publicador: ${linesChanged.coupled} acoplado, ` +
        `${linesChanged.queueEach} una cola por suscriptor, ${linesChanged.direct} direct, ` +
        `${linesChanged.events} eventos`,
      verdict: (linesChanged.events === 0 ? "**Confirmada.** " : "**Refutada.** ") +
        "En las otras tres son pocas líneas; lo caro no es escribirlas sino que haya que publicar " +
        "una nueva versión del servicio de registro.",
    },
    {
      claim: "Cada suscriptor más añade 200 ms y un 20 % de carga",
      measured: `p50 acoplado: ${bySubscribers(growth.counts, growth.p50.coupled)}, unos ` +
        `${found.msPerSubscriber} ms por suscriptor; eventos: ` +
        `${bySubscribers(growth.counts, growth.p50.events)}`,
      verdict:
        "**La latencia, medida; la carga, no.** El 20 % no tiene definición en los textos, y " +
        "no se midió.",
    },
    {
      claim: "Escala: 100 por hora en las puntas, y hasta el triple",
      measured: `Eventos: ${maxPerSecond.events} por segundo; acoplado: ${maxPerSecond.coupled}. ` +
        `El triple de la punta son ${found.wantedPerSecond} por segundo`,
      verdict:
        (found.isEnough ? "**Confirmada, y el acoplado también podría.** " : "**Refutada.** ") +
        "El volumen no es la razón para usar eventos aquí. Aceptar tampoco es procesar: el ritmo " +
        "sostenido lo fija el suscriptor más lento.",
    },
    {
      claim: "Unas 30 horas de trabajo, pagadas en la primera semana",
      measured: `No se midió: el modelo da ${spanishDays(roi(WORKSHOP).breakEvenDays)}`,
      verdict:
        "**Aritmética, no medición.** Vale lo que valgan sus supuestos: véase el modelo de " +
        "costes. Las horas dependen de quién las haga, y aquí no se contaron.",
    },
    {
      claim: "Una avería no retrasa a nadie más",
      measured: `Peor p95 de la API de eventos en las cuatro averías: ${unwell.worstP95} ms`,
      verdict: found.isSlowedByOutage
        ? `**No confirmada en esta medición**: supera los ${report.subscriberMs} ms de un solo ` +
          "suscriptor. Todo corre en una máquina: averías y API compiten por sus núcleos."
        : `**Confirmada**: queda por debajo de los ${report.subscriberMs} ms de un solo suscriptor.`,
    },
  ];
}

/** Spanish. */
export const SPANISH: Language = {
  cell,
  origin,
  notes,
  summary,
  claimHead: ["afirmación del taller", "lo medido", "veredicto"],
  claims,
  roi: spanishRoi(),
};
