import { say } from "./strings.js";

/** What calls for a player: tones, and notifications. Both are off until asked for. */

/** How each sounds, in hertz; its name in words is a string of the same key. @type {Record<string, number>} */
const PITCH = { tellTone: 660, callTone: 880, healthTone: 330, hearMoves: 440, hearTalk: 523, hearChannels: 587, hearCombat: 370 };

/** Kinds of lines that a player may turn into tones, and the setting that says so. @type {Record<string, string>} */
const HEARD = { move: "hearMoves", say: "hearTalk", emote: "hearTalk", channel: "hearChannels", combat: "hearCombat" };

/**
 * The setting that says how a line is heard; empty: it is spoken. What somebody does is their own answer, as are lines
 * that begin with nobody's name, but for channels and fights.
 *
 * @param {{kind: string, spans: import("./log.js").Span[]}} line
 */
export function heardBy({ kind, spans }) {
  const others = kind === "channel" || kind === "combat" || ["player", "npc"].includes(spans[0]?.[1] ?? "");
  return (others && HEARD[kind]) || "";
}

/** @type {AudioContext|null} */
let audio = null;

/** A short tone, if sound is on. @param {Record<string, any>} settings @param {string} what @returns {boolean} whether it is */
export function chime({ sound, volume }, what) {
  if (!sound || !volume) return false;
  audio ??= new AudioContext();
  const tone = new OscillatorNode(audio, { frequency: PITCH[what] });
  const gain = new GainNode(audio, { gain: volume / 400 });
  gain.gain.setTargetAtTime(0, audio.currentTime + 0.1, 0.05);
  tone.connect(gain).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.4);
  return true;
}

/** Tell somebody who looks elsewhere, if they asked for it. @param {Record<string, any>} settings @param {string} text */
export function notify(settings, text) {
  if (!settings.notify || !document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
  const shown = new Notification(say("title"), { body: text, tag: "mythos" });
  shown.onclick = () => {
    window.focus();
    shown.close();
  };
}
