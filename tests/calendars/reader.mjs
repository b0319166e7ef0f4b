// Reads calendars from standard input with ical.js and prints what it understood, one a line.
import ICAL from "ical.js";

let text = "";
process.stdin.setEncoding("utf8");
for await (const piece of process.stdin) text += piece;

const instant = (event, name) => event.getFirstPropertyValue(name)?.toJSDate().toISOString() ?? null;
const value = (event, name) => event.getFirstPropertyValue(name) ?? null;
const understood = (event) => ({
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
});
for (const one of text.split(/^(?=BEGIN:VCALENDAR)/m)) {
  const calendar = new ICAL.Component(ICAL.parse(one));
  const said = (name) => calendar.getFirstPropertyValue(name)?.toString() ?? null;
  const events = calendar.getAllSubcomponents("vevent").map(understood);
  console.log(JSON.stringify({ name: said("name"), poll: said("refresh-interval"), events }));
}
