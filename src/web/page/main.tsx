import { render } from "preact";
import { App } from "./app.tsx";
import "./style/tokens.css";
import "./style/page.css";
import "./style/form.css";
import "./style/map.css";
import "./style/panel.css";
import "./style/steps.css";
import "./style/inside.css";

render(<App />, document.getElementById("app")!);
