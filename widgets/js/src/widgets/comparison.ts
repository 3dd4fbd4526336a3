import { Comparison } from "../comparison";
import { widget } from "../widget";

export default widget((context) => new Comparison(context));
