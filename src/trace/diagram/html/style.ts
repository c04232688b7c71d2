/** How a page looks, beside its picture: two columns where there is room, one where there is not, and on paper. */
export const PAGE_CSS = `
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:14px/1.45 system-ui,sans-serif}
header{padding:18px 24px 14px;border-bottom:1px solid var(--faint)}
h1{font-size:20px;margin:0 0 8px;overflow-wrap:anywhere}
h2{font-size:15px;margin:26px 0 2px}
h2.request{color:var(--request)}h2.reply{color:var(--reply)}h2.trouble{color:var(--trouble)}
p{margin:0 0 8px;overflow-wrap:anywhere}
.quiet{color:var(--quiet)}.good{color:var(--good)}.bad{color:var(--bad)}
.verdict{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 14px;margin:0}
.verdict dt{color:var(--quiet)}
.verdict dd{margin:0;overflow-wrap:anywhere}
main{display:grid;grid-template-columns:minmax(320px,max-content) minmax(0,1fr);gap:8px 28px;padding:0 24px 40px;align-items:start}
.picture{margin:18px 0 0;overflow-x:auto;position:sticky;top:12px;max-width:calc(100vw - 48px)}
.picture svg{display:block;max-width:min(100%,52vw);height:auto;max-height:calc(100vh - 30px)}
.picture a{cursor:pointer}
.picture a:focus-visible circle,.picture a:hover circle{stroke:var(--ink)}
.hop{border:1px solid var(--faint);border-radius:8px;background:var(--raised);margin:6px 0}
.hop:has(:target){border-color:var(--request);box-shadow:0 0 0 2px var(--request)}
summary{cursor:pointer;padding:8px 12px;list-style:none;display:grid;grid-template-columns:max-content minmax(0,1fr) max-content;gap:2px 10px;align-items:center;border-radius:8px}
summary::-webkit-details-marker{display:none}
summary::after{content:"+";grid-column:3;grid-row:1;color:var(--quiet);width:1em;text-align:center}
details[open]>summary::after{content:"\\2212"}
summary:focus-visible{outline:2px solid var(--request);outline-offset:1px}
.where{overflow-wrap:anywhere;grid-column:2;grid-row:1}
.end{grid-column:2;font-weight:600}
.gist{grid-column:2/4;display:flex;flex-direction:column;align-items:flex-start;gap:1px;font-size:13px;overflow-wrap:anywhere}
.gist:empty{display:none}
.gist .label{font:inherit;color:var(--quiet)}.gist .tone-bad{color:var(--bad)}
.gist .change,.steps .change{white-space:normal}
span.badge{display:inline-grid;place-items:center;width:22px;height:22px;border-radius:50%;color:var(--ground);font-size:12px;font-weight:700}
span.badge.request{background:var(--request)}span.badge.reply{background:var(--reply)}span.badge.trouble{background:var(--trouble)}
.change{background:var(--change);color:var(--change-ink);border-radius:4px;padding:0 5px;overflow-wrap:anywhere}
.change s{opacity:.85;text-decoration-thickness:1px}
.steps{border-top:1px solid var(--faint);padding:10px 14px 12px;scroll-margin-top:90px}
.steps ol{list-style:none;margin:0;padding:0;font:12.5px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
.steps li{padding:1px 0;overflow-wrap:anywhere}
.steps li.outer{border-left:3px solid var(--tunnel);padding-left:9px}
.steps .label{color:var(--quiet);font-size:1em}
.steps .tone-device>.label{color:var(--request)}
.steps .tone-rule{font-weight:600}.steps .tone-rule .rules{font-weight:400}
.steps .tone-good,.steps .tone-good>.label{color:var(--good)}.steps .tone-bad,.steps .tone-bad>.label{color:var(--bad)}
.steps .depth-3{color:var(--quiet);font-weight:400}
.steps .depth-3 .label{color:inherit}
.rules{list-style:none;margin:0;padding:0 0 0 18px}
.rules li{text-indent:-12px;padding-left:12px}
.packets{display:flex;flex-wrap:wrap;gap:12px;margin-top:12px}
.packet{margin:0;flex:1 1 290px;min-width:0}
figcaption{color:var(--quiet);font-size:12.5px;margin-bottom:3px}
.layer{border:1px solid var(--line);border-bottom-width:0;padding:4px 9px;font-size:12.5px;background:var(--surface)}
.layer:first-of-type{border-radius:6px 6px 0 0}
.layer:last-child{border-bottom-width:1px;border-radius:0 0 6px 6px}
.layer.added{border-left:4px solid var(--tunnel)}
.field{display:inline-block;margin-right:7px;overflow-wrap:anywhere}
.field i{font-style:normal;color:var(--quiet)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:12.5px;margin-top:6px}
th{text-align:left;color:var(--quiet);font-weight:500}
th,td{padding:3px 14px 3px 0;border-bottom:1px solid var(--faint);vertical-align:top}
@media (max-width:900px){
header{padding:14px 14px 12px}
main{grid-template-columns:minmax(0,1fr);padding:0 14px 30px}
.picture{position:static;max-width:none;margin-top:14px}
.picture svg{max-width:100%;max-height:none;min-width:min(100%,420px)}
.verdict{grid-template-columns:minmax(0,1fr)}.verdict dd{margin-bottom:4px}}
@media print{
body{font-size:11px}
main{display:block;padding:0}
header{padding:0 0 8px}
.picture{position:static;break-inside:avoid}
.picture svg{max-width:100%;max-height:20cm}
.hop{background:none}
h2,h2+p,summary,figcaption{break-after:avoid}
summary,.steps li,.packets{break-inside:avoid}
.steps{padding:6px 10px}
.steps ol{font-size:10px;line-height:1.35}
.steps .depth-3{display:none}
.layer{font-size:10px;padding:2px 7px}
details::details-content{content-visibility:visible;display:block;block-size:auto}
summary::after{content:none}}
`;
