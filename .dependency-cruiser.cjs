/** The storeys of the house: imports go downwards only. See README, "How it is built". */
const storeys = [
  { name: "packet", may: [] },
  { name: "linux", may: ["packet"] },
  { name: "cluster", may: ["packet", "linux"] },
  { name: "topology", may: ["packet", "linux", "cluster"] },
  { name: "trace", may: ["packet", "linux", "cluster", "topology"] },
  { name: "analysis", may: ["packet", "linux", "cluster", "topology", "trace"] },
  { name: "lab", may: ["packet", "linux", "cluster", "topology", "trace", "analysis"] },
  { name: "shell", may: ["packet", "linux", "cluster", "topology", "trace", "analysis"] },
  { name: "web", may: ["packet", "linux", "cluster", "topology", "trace", "analysis"] },
  { name: "testing", may: ["packet", "linux", "cluster", "topology", "trace", "analysis"] },
  {
    name: "cli",
    may: ["packet", "linux", "cluster", "topology", "trace", "analysis", "lab", "shell", "web"],
  },
];

module.exports = {
  forbidden: [
    ...storeys.map(({ name, may }) => ({
      name: `${name}-looks-down-only`,
      severity: "error",
      from: { path: `^src/${name}/` },
      to: { path: "^src/", pathNot: `^src/(${[name, ...may].join("|")})/` },
    })),
    {
      name: "no-libraries-on-the-packets-way",
      severity: "error",
      from: { path: "^src/(packet|linux)/" },
      to: { dependencyTypes: ["npm", "npm-dev"] },
    },
    {
      name: "no-network",
      severity: "error",
      comment: "Nothing but the local web page may open a socket.",
      from: { path: "^src/", pathNot: "^src/web/" },
      to: { path: "^(node:)?(net|http|https|http2|dgram|tls|dns)$" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".js"] },
  },
};
