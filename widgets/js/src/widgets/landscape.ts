import { Landscape } from "../landscape";
import { widget } from "../widget";

export default widget((context) => new Landscape(context));
