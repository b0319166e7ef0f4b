// Reads calendars from standard input with the named package and prints what it understood, one
// a line.
import ICAL from "ical.js";
import nodeIcal from "node-ical";

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
  alarms: event
    .getAllSubcomponents("valarm")
    .map((alarm) => alarm.getFirstPropertyValue("trigger").toString()),
});

function byIcalJs(one) {
  const calendar = new ICAL.Component(ICAL.parse(one));
  // A zone of the same name that an earlier calendar brought must not answer for this one's.
  ICAL.TimezoneService.reset();
  for (const zone of calendar.getAllSubcomponents("vtimezone")) {
    ICAL.TimezoneService.register(zone);
  }
  const said = (name) => calendar.getFirstPropertyValue(name)?.toString() ?? null;
  const events = calendar.getAllSubcomponents("vevent").map(understood);
  return { name: said("name"), poll: said("refresh-interval"), events };
}

function byNodeIcal(one) {
  const found = Object.values(nodeIcal.sync.parseICS(one));
  const calendar = found.find((part) => part.type === "VCALENDAR");
  const events = found.filter((part) => part.type === "VEVENT").map((event) => ({
    uid: event.uid,
    start: event.start.toISOString(),
    end: event.end.toISOString(),
    summary: event.summary,
    description: event.description,
    location: event.location ?? null,
    url: event.url ?? null,
    status: event.status,
    transp: event.transparency,
    sequence: Number(event.sequence),
    created: event.created.toISOString(),
    changed: event.lastmodified.toISOString(),
    stamp: event.dtstamp.toISOString(),
    alarms: (event.alarms ?? []).map((alarm) => alarm.trigger),
  }));
  return { name: calendar?.["WR-CALNAME"] ?? null, poll: null, events };
}

const read = { "ical.js": byIcalJs, "node-ical": byNodeIcal }[process.argv[2]];
for (const one of text.split(/^(?=BEGIN:VCALENDAR)/m)) {
  if (one) console.log(JSON.stringify(read(one)));
}
