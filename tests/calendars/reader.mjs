// Reads a calendar from standard input with ical.js and prints what it understood.
import ICAL from "ical.js";

let text = "";
process.stdin.setEncoding("utf8");
for await (const piece of process.stdin) text += piece;

const calendar = new ICAL.Component(ICAL.parse(text));
const instant = (event, name) => event.getFirstPropertyValue(name)?.toJSDate().toISOString() ?? null;
const value = (event, name) => event.getFirstPropertyValue(name) ?? null;
const events = calendar.getAllSubcomponents("vevent").map((event) => ({
  uid: value(event, "uid"),
  start: instant(event, "dtstart"),
  end: instant(event, "dtend"),
  summary: value(event, "summary"),
  description: value(event, "description"),
  location: value(event, "location"),
  url: value(event, "url"),
  status: value(event, "status"),
  transp: value(event, "transp"),
  sequence: value(event, "sequence"),
  created: instant(event, "created"),
  changed: instant(event, "last-modified"),
  stamp: instant(event, "dtstamp"),
}));
const said = (name) => calendar.getFirstPropertyValue(name)?.toString() ?? null;
console.log(JSON.stringify({ name: said("name"), poll: said("refresh-interval"), events }));
