import { FormView } from "../standalone";
import { widget } from "../widget";

export default widget((context) => new FormView(context));
