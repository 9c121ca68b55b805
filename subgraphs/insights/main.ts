import { serve } from '../serve'
import insights from './index'

void serve(insights)
