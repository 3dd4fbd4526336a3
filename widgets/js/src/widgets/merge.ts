import { MergeWizard } from "../merge";
import { widget } from "../widget";

export default widget((context) => new MergeWizard(context));
