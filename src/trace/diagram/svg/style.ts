/** How a scene looks; colours are those of the palette. */
export const SCENE_CSS = `
.box{fill:var(--raised);stroke:var(--line);stroke-width:1}
.box.node{fill:var(--surface)}
.box.host{fill:var(--host)}
.box.pod{fill:var(--pod)}
.box.segment{fill:var(--bar);stroke:none}
.box.process{fill:var(--ground)}
.label{font:600 12.5px system-ui,sans-serif;fill:var(--ink)}
.label.device,.label.process{font-weight:500}
.label.process{font-style:italic}
.label .detail{font-weight:400;font-style:normal;font-size:11.5px;fill:var(--quiet)}
.link{fill:none;stroke:var(--line);stroke-width:1.5}
.link.routed,.link.carried,.link.local{stroke-width:1.2;stroke-dasharray:1 4;stroke-linecap:round}
.way{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
.way.outer{stroke-width:4;stroke-opacity:.75}
.way.request{stroke:var(--request)}.way.reply{stroke:var(--reply);stroke-dasharray:7 4}.way.trouble{stroke:var(--trouble);stroke-dasharray:2 4}
.head.request{fill:var(--request)}.head.reply{fill:var(--reply)}.head.trouble{fill:var(--trouble)}
.badge{stroke:var(--ground);stroke-width:1.5}
.badge.request{fill:var(--request)}.badge.reply{fill:var(--reply)}.badge.trouble{fill:var(--trouble)}
.number{font:700 10.5px system-ui,sans-serif;fill:var(--ground)}
.cross{fill:none;stroke:var(--bad);stroke-width:4;stroke-linecap:round}
`;
