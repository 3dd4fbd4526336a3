import { ImportForm } from "../importing";
import { widget } from "../widget";

export default widget((context) => new ImportForm(context));
