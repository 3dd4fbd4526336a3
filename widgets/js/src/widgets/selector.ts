import { Selector } from "../selector";
import { widget } from "../widget";

export default widget(({ channel }) => new Selector(channel));
